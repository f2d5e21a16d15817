"""Distances and angles between images."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from segdistill.methods.base import Taps
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.limits import check_factors
from segdistill.methods.parts.relational import RelationalMethod, embedding
from segdistill.methods.traits import Traits


class RKD(RelationalMethod):
    r"""Match distances and angles between the images of a batch, as their embeddings have them.

    An image's embedding $e$ is its feature's mean over positions. With $h$ the smooth L1 distance, $\psi_{nm}$ the
    distance of two embeddings over the batch's mean distance, and $\phi_{nmk}$ the cosine of the angle at $m$:

    $$\lambda_D \underset{n \ne m}{\mathrm{mean}} \, h(\psi^s_{nm}, \psi^t_{nm}) +
    \lambda_A \underset{n \ne m \ne k}{\mathrm{mean}} \, h(\phi^s_{nmk}, \phi^t_{nmk})$$

    over pairs and triplets of different images. The authors' code takes its means over all $N^2$ pairs and $N^3$
    triplets, those of an image with itself included, which are zero: its $\lambda_D$ is `distance = w * (N - 1) / N`
    here and its $\lambda_A$ is `angle = w * (N - 1) * (N - 2) / N**2`, for batches of $N$ images. Channels and sizes
    of the two networks may differ.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        distance: $\lambda_D$.
        angle: $\lambda_A$.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If a factor is negative, or both are zero.
    """

    paper = "Park et al., Relational Knowledge Distillation, CVPR 2019 (arXiv 1904.05068)"
    traits = Traits("relations", relational=True, images=3)

    def __init__(
        self, taps: Taps = "high", distance: float = 25.0, angle: float = 50.0, weight: float = 1.0
    ) -> None:
        super().__init__(taps, weight)
        check_factors("RKD", {"distance": distance, "angle": angle})
        self.distance, self.angle = distance, angle

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = embedding(student), embedding(teacher)
        distance = F.smooth_l1_loss(_distances(s), _distances(t))
        angle = F.smooth_l1_loss(_angles(s), _angles(t))
        return self.distance * distance + self.angle * angle


def _distances(embeddings: Tensor) -> Tensor:
    """Of every pair of images, over their mean."""
    distances = F.pdist(embeddings)
    mean = distances.mean()
    return distances / mean.where(mean > 0, torch.inf)


def _angles(embeddings: Tensor) -> Tensor:
    """Cosines of the angles that every pair of images makes at every third one."""
    count = len(embeddings)
    towards = unit(embeddings[None, :] - embeddings[:, None], dim=2)
    cosines = towards @ towards.transpose(1, 2)
    at, one, other = torch.meshgrid(*[torch.arange(count, device=embeddings.device)] * 3, indexing="ij")
    return cosines[(one < other) & (at != one) & (at != other)]
