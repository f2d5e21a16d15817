"""Similarity of the tokens of an image."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor

from segdistill.core import Output
from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.adapters import match_size
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.limits import check_count, check_positive
from segdistill.methods.parts.positions import check_positions
from segdistill.methods.parts.similarity import row_divergence
from segdistill.methods.traits import Traits
from segdistill.tasks import Task


class TokenSimilarity(PairMethod):
    r"""Match which parts of its image a token resembles, for teachers such as DINO.

    With $x$ a position's feature at unit length, and a softmax over the positions $j$ of the same image:

    $$\underset{n,i}{\mathrm{mean}} \; \mathrm{KL}\Big(\mathrm{softmax}_j \tfrac{\langle x^t_{ni}, x^t_{nj} \rangle}
    {\tau} \,\Big\|\, \mathrm{softmax}_j \tfrac{\langle x^s_{ni}, x^s_{nj} \rangle}{\tau}\Big)$$

    It is the relation of `CIRKD` within each image, at the temperature with which DINO's features are compared. Tokens
    are compared with tokens of the same network, so neither channels nor semantic spaces have to agree, and nothing is
    trained: a teacher of any architecture, pre-trained without labels, will do. Larger maps are averaged to at most
    `tokens` positions, which bounds time and memory; below that, the value does not change with resolution. A
    published weight (1) carries over.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        temperature: $\tau$.
        tokens: How many positions an image has at most.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature is not positive, there are fewer than two tokens, or (in `build`) a tap
            has a single position.
    """

    paper = "Within-image term of Yang et al., CIRKD, CVPR 2022, as LightlyTrain distils DINOv3 teachers with it (2025)"
    traits = Traits("relations")

    def __init__(
        self, taps: Taps = "high", temperature: float = 0.07, tokens: int = 1024, weight: float = 1.0
    ) -> None:
        super().__init__(taps, weight)
        check_positive("TokenSimilarity", temperature=temperature)
        check_count("TokenSimilarity", 2, tokens=tokens)
        self.temperature, self.tokens = temperature, tokens

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        for tap in self.pairs:
            check_positions("TokenSimilarity", tap, student[tap])

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        size = _at_most(self.tokens, student.shape[2:])
        images = zip(
            _directions(match_size(student, size)), _directions(match_size(teacher, size)), strict=True
        )
        losses = [row_divergence(s, s[None], t, t[None], temperature=self.temperature) for s, t in images]
        return torch.stack(losses).mean()


def _directions(feature: Tensor) -> Tensor:
    """Of every token, `(B, tokens, C)`."""
    return unit(feature).flatten(2).transpose(1, 2)


def _at_most(tokens: int, size: tuple[int, ...]) -> tuple[int, ...]:
    """The size, shrunk alike along every side until it holds no more than so many positions."""
    shrink = (prod(size) / tokens) ** (1 / len(size))
    if shrink <= 1:
        return size
    smaller = [max(1, int(n / shrink)) for n in size]
    # A side of one position cannot shrink: the longest has to.
    longest = smaller.index(max(smaller))
    smaller[longest] = max(1, min(smaller[longest], tokens * smaller[longest] // prod(smaller)))
    return tuple(smaller)
