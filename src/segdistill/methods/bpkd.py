"""Boundary-privileged distillation: edges and bodies of the labels' regions apart."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from segdistill.core import SegDistillError
from segdistill.methods.base import PairMethod
from segdistill.methods.parts.divergence import kl
from segdistill.methods.parts.limits import check_count, check_positive
from segdistill.methods.traits import Traits

_MAX_POOLS = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


class BPKD(PairMethod):
    r"""Match the class distribution along the edges of every class, and the shape of its map elsewhere.

    The edge of class $c$ is $M_c = \mathrm{dilate}(1_{y=c}) - \mathrm{erode}(1_{y=c})$. With $b$ and $e$ the weights,

    $$T^2 \Big( b \; \underset{n,c}{\mathrm{mean}} \; \mathrm{KL}_{pos}\big((1 - M_c) z^t_c \,\|\, (1 - M_c) z^s_c\big)
    + e \; \underset{n,c}{\mathrm{mean}} \; \underset{i \in M_c}{\mathrm{mean}} \;
    \mathrm{KL}(p^t_{ni} \,\|\, p^s_{ni}) \Big)$$

    where $\mathrm{KL}_{pos}$ takes a softmax over positions and $p$ is the task's distribution. Every class's edge
    counts the same, however short it is; a class without an edge in an image contributes nothing to its mean, and an
    image without any edge has an edge term of zero. Ignored pixels are in no edge and in no body. In a binary task
    background and foreground have one and the same edge.

    No training code was released: this is the reading of the paper, with the published factors 20 and 50 of body and
    edge as 1 and 2.5, so a published pair is `weight = 20`. The kernel counts pixels of the labels; the authors'
    labels are at the size of their logits, an eighth of the image.

    Args:
        temperature: $T$, softness of the distributions.
        kernel: Side of the square that dilates and erodes, in pixels; odd. An edge is that wide less one.
        body: $b$, factor of the body's term.
        edge: $e$, factor of the edge's term.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If a number is not positive, or the kernel not odd and at least 3.
    """

    paper = (
        "Liu et al., BPKD: Boundary Privileged Knowledge Distillation for Semantic Segmentation, "
        "WACV 2024 (arXiv 2306.08075)"
    )
    traits = Traits("logits", labels=True, tiles=False)

    def __init__(
        self,
        temperature: float = 1.0,
        kernel: int = 7,
        body: float = 1.0,
        edge: float = 2.5,
        weight: float = 1.0,
    ) -> None:
        super().__init__("logits", weight)
        check_positive("BPKD", temperature=temperature, body=body, edge=edge)
        check_count("BPKD", kernel=kernel)
        if kernel < 3 or kernel % 2 == 0:
            raise SegDistillError(f"BPKD needs an odd kernel of at least 3, got {kernel}.")
        self.temperature, self.kernel, self.body, self.edge = temperature, kernel, body, edge

    def compare_labelled(self, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        with torch.no_grad():
            valid, edges = self.task.valid(mask), edges_of(self.task.targets(mask), self.kernel)
            edge, body = edges * valid, (1 - edges) * valid
        total = self.edge * self.along(edge, student, teacher) + self.body * self.within(
            body, student, teacher
        )
        return total * self.temperature**2

    def along(self, edge: Tensor, student: Tensor, teacher: Tensor) -> Tensor:
        """Divergence of the pixels' distributions, averaged over every class's edge."""
        s, t = (self.task.log_probs(x, self.temperature) for x in (student, teacher))
        lengths = edge.flatten(2).sum(dim=2)
        means = (kl(s, t, dim=1) * edge).flatten(2).sum(dim=2) / lengths.clamp(min=1)
        return (means.sum(dim=1) / (lengths > 0).sum(dim=1).clamp(min=1)).mean()

    def within(self, body: Tensor, student: Tensor, teacher: Tensor) -> Tensor:
        """Divergence of every class's distribution over positions."""
        s, t = ((x * body).flatten(2).div(self.temperature).log_softmax(dim=2) for x in (student, teacher))
        return kl(s, t, dim=2).mean()


def edges_of(regions: Tensor, kernel: int) -> Tensor:
    """Where a cube of a side of `kernel` pixels holds both the region and its surroundings; zeros and ones."""
    # What dilates the surroundings erodes the region.
    return dilate(regions, kernel) * dilate(1 - regions, kernel)


def dilate(regions: Tensor, kernel: int) -> Tensor:
    """Largest value within a cube, one axis after the other."""
    axes = regions.ndim - 2
    for axis in range(axes):
        regions = _MAX_POOLS[axes](
            regions, _along(axis, axes, kernel, 1), 1, _along(axis, axes, kernel // 2, 0)
        )
    return regions


def _along(axis: int, axes: int, value: int, other: int) -> tuple[int, ...]:
    return tuple(value if n == axis else other for n in range(axes))
