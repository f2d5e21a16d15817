"""Multi-scale training: images and masks at another size."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F

from segdistill.core import Batch
from segdistill.taps import resize

SIZE_MULTIPLE = 32  # what five halvings need


def scaled(size: Sequence[int], scale: float) -> tuple[int, ...]:
    """A size times a factor, in multiples of 32."""
    return tuple(max(1, round(n * scale / SIZE_MULTIPLE)) * SIZE_MULTIPLE for n in size)


def rescaled(batch: Batch, scale: float) -> Batch:
    """A batch with image and mask at another scale."""
    size = scaled(batch.image.shape[2:], scale)
    image = resize(batch.image, size, antialias=True)
    return Batch(image, _nearest(batch.mask, size), batch.ids, batch.teacher)


def _nearest(mask: Tensor, size: tuple[int, ...]) -> Tensor:
    planes = mask[:, None] if mask.ndim == len(size) + 1 else mask
    resized = F.interpolate(planes.float(), size=size, mode="nearest-exact").to(mask.dtype)
    return resized[:, 0] if mask.ndim == len(size) + 1 else resized
