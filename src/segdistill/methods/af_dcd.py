"""Contrast of a restored feature with the teacher's, without augmentation and without memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from segdistill.core import SegDistillError
from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.adapters import Adapter
from segdistill.methods.parts.cells import split
from segdistill.methods.parts.hiding import shown
from segdistill.methods.parts.limits import check_count, check_factors, check_positive, check_share
from segdistill.methods.traits import Traits

_POOLS = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}


#: Distances held at once: memory is bounded, in the backward pass too, which computes them again.
_ELEMENTS = 2**21


class AfDCD(PairMethod):
    r"""Restore the teacher's feature from a masked one, and tell its parts apart (augmentation-free dense contrast).

    The paper's: the student's feature is projected, three quarters of its positions are hidden, and a small generator
    restores the teacher's feature $t$ as $g$. Both are brought to cells by a maximum, cut into local patches, and their
    channels into groups; $g_a$ and $t_a$ are the vectors of one cell and group. Each restored vector should be nearest
    to the teacher's at its own place among those of the patch. With $d$ the $L_1$ distance:

    $$\lambda_r \underset{n,c,i}{\mathrm{mean}} (g - t)^2 + \lambda_c \underset{a}{\mathrm{mean}} \Big[ -\log
    \frac{e^{-d(g_a, t_a) / \tau}}{e^{-d(g_a, t_a) / \tau} + \sum_{b \,:\, \mathrm{group}(b) \ne \mathrm{group}(a)}
    e^{-d(g_a, t_b) / \tau}} \Big]$$

    The distance, and that only other groups of channels repel while the same group elsewhere in the patch does not, are
    the authors' code's. Our reading: means instead of sums; a projection also where channels agree (theirs then has
    none, and fails); cells of about `pool` positions, as many as fill whole patches (theirs needs divisible sizes); a
    map smaller than a patch is one patch; groups of equal width with zeros in the last (theirs needs divisible
    channels). A published $\lambda_r$ for $C \times P$ numbers per image is `reconstruction = w * C * P` here, and a
    published $\lambda_c$ for $M$ groups is `contrast = w * M`. On Cityscapes (2e-6 for 512 channels at 64 x 128, and
    0.005) this makes 8 and 0.08, the defaults. $\tau$ belongs to a sum over a group's channels. The code's cells are
    4 x 4 positions of a feature of stride 8; a feature of stride 32 is as coarse without.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        reconstruction: $\lambda_r$.
        contrast: $\lambda_c$.
        temperature: $\tau$.
        mask: Share of positions that are hidden.
        groups: How many groups of channels, at most; at least two.
        patch: Side of a patch in cells.
        pool: Side of a cell in positions, about.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If a number is out of its range, or the teacher's feature has one channel only.
    """

    paper = (
        "Fan et al., Augmentation-free Dense Contrastive Knowledge Distillation for Efficient Semantic Segmentation, "
        "NeurIPS 2023 (arXiv 2312.04168)"
    )
    traits = Traits("relations", zero=False, tiles=False, draws=True)
    adapts = True

    def __init__(
        self,
        taps: Taps = "high",
        reconstruction: float = 8.0,
        contrast: float = 0.08,
        temperature: float = 0.07,
        mask: float = 0.75,
        groups: int = 16,
        patch: int = 4,
        pool: int = 1,
        weight: float = 1.0,
    ) -> None:
        super().__init__(taps, weight)
        check_positive("AfDCD", temperature=temperature)
        check_factors("AfDCD", {"reconstruction": reconstruction, "contrast": contrast})
        check_share("AfDCD", zero=True, mask=mask)
        check_count("AfDCD", 2, groups=groups)
        check_count("AfDCD", patch=patch, pool=pool)
        self.reconstruction, self.contrast, self.temperature = reconstruction, contrast, temperature
        self.mask, self.groups, self.patch, self.pool = mask, groups, patch, pool

    def adapter(self, student: Tensor, teacher: Tensor) -> nn.Module:
        if teacher.shape[1] < 2:
            raise SegDistillError(
                "AfDCD contrasts groups of channels, but the teacher's feature has one channel: tap another."
            )
        return _Generator(student.shape[1], teacher.shape[1], mask=self.mask, dimensions=student.ndim - 2)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        loss = self.reconstruction * (student - teacher).square().mean()
        return loss + self.contrast * self.contrast_of(student, teacher) if self.contrast else loss

    def contrast_of(self, restored: Tensor, teacher: Tensor) -> Tensor:
        """Mean over cells and groups of the cross-entropy of finding the own place."""
        ours, theirs = self.vectors(restored) / self.temperature, self.vectors(teacher) / self.temperature
        count = ours.shape[1]
        group = torch.arange(count, device=ours.device) % self._groups(teacher)
        # Neither friend nor rival: the same group elsewhere in the patch.
        aside = (group[:, None] == group).fill_diagonal_(False)
        step = max(1, _ELEMENTS // count**2)
        losses = [
            checkpoint(_cross_entropy, *part, aside, use_reentrant=False, preserve_rng_state=False)
            for part in zip(torch.split(ours, step), torch.split(theirs, step), strict=True)
        ]
        return torch.cat(losses).mean()

    def vectors(self, feature: Tensor) -> Tensor:
        """A feature's vectors by patch, `(B * patches, cells * groups, channels of a group)`."""
        sides = [min(self.patch, n) for n in feature.shape[2:]]
        cells = [
            side * max(1, n // (self.pool * side)) for side, n in zip(sides, feature.shape[2:], strict=True)
        ]
        patches = split(_POOLS[len(cells)](feature, cells), sides).flatten(0, 1).transpose(1, 2)
        groups = self._groups(feature)
        patches = F.pad(patches, (0, -patches.shape[2] % groups))
        return patches.reshape(len(patches), patches.shape[1] * groups, -1)

    def _groups(self, feature: Tensor) -> int:
        """As many as asked for, or fewer, such that none is nothing but zeros."""
        channels = feature.shape[1]
        width = -(-channels // self.groups)
        return -(-channels // width)


def _cross_entropy(restored: Tensor, teacher: Tensor, aside: Tensor) -> Tensor:
    """Of finding the own place in a patch, `(patches, vectors)`."""
    distance = torch.cdist(restored, teacher, p=1)
    return distance.masked_fill(aside, torch.inf).neg().logsumexp(dim=2) + distance.diagonal(dim1=1, dim2=2)


class _Generator(nn.Module):
    """Restores a teacher's feature from a masked one of the student."""

    def __init__(self, channels: int, target: int, *, mask: float, dimensions: int) -> None:
        super().__init__()
        convolution = getattr(nn, f"Conv{dimensions}d")
        self.mask = mask
        self.align = Adapter(channels, target, dimensions=dimensions)
        self.restore = nn.Sequential(
            convolution(target, target, 3, padding=1),
            nn.ReLU(inplace=True),
            convolution(target, target, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.restore(self.align(x) * shown(x, self.mask))  # type: ignore[no-any-return]
