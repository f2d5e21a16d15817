"""Multi-scale training: images and masks at another size."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from torch import Tensor
from torch.nn import functional as F

from segdistill.core import Batch, SegDistillError
from segdistill.data.seeding import stable_seed
from segdistill.engine.training import Training
from segdistill.taps import Tapped, resize
from segdistill.teachers import TeacherSource

SIZE_MULTIPLE = 32  # what five halvings need


class Scales:
    """The sizes at which a training looks at its batches.

    Args:
        training: The factors, whether one or each is taken per batch, and how images and masks are brought there.
        student: The network that is trained; a size of its own follows the factor.
        teacher: Sees the images as they came, or with `rescale: as_released` as the student does.
    """

    def __init__(self, training: Training, student: Tapped, teacher: TeacherSource | None) -> None:
        self.training = training
        #: Whether the teacher answers at every scale, and not once per batch.
        self.ask_at_each = training.rescale == "as_released"
        networks = [student, *(_networks(teacher) if self.ask_at_each else ())]
        self._own = {net: net.size for net in networks if net.size}

    @property
    def per_batch(self) -> int:
        """How many steps a batch is good for."""
        return len(self.training.scales) if self.training.scale_steps == "each" else 1

    def views(self, batch: Batch, *, epoch: int, index: int) -> Iterator[Batch]:
        """A batch at every scale that a step is taken at; the networks' own sizes follow.

        Args:
            batch: The batch as it came.
            epoch: Its epoch.
            index: Its number in the epoch; with the epoch it decides which scale is drawn.

        Raises:
            SegDistillError: If a mask that shares are to be made of holds anything else.
        """
        if self.ask_at_each:
            check_shares(batch)
        for scale in self._drawn(epoch, index):
            for net, size in self._own.items():
                net.size = scaled(size, scale)
            yield corner_aligned(batch, scale) if self.ask_at_each else rescaled(batch, scale)
        if not self.training.scales:
            yield batch

    def reset(self) -> None:
        """Give the networks their own sizes back."""
        for net, size in self._own.items():
            net.size = size

    def _drawn(self, epoch: int, index: int) -> Sequence[float]:
        scales = self.training.scales
        if self.training.scale_steps == "each" or not scales:
            return scales
        return [random.Random(stable_seed("scale", self.training.seed, epoch, index)).choice(scales)]


def scaled(size: Sequence[int], scale: float) -> tuple[int, ...]:
    """A size times a factor, in multiples of 32."""
    return tuple(max(1, round(n * scale / SIZE_MULTIPLE)) * SIZE_MULTIPLE for n in size)


def rescaled(batch: Batch, scale: float) -> Batch:
    """A batch with image and mask at another scale: the image smoothed where it shrinks, the mask to the nearest."""
    size = scaled(batch.image.shape[2:], scale)
    image = resize(batch.image, size, antialias=True)
    return Batch(image, _nearest(batch.mask, size), batch.ids, batch.teacher)


def corner_aligned(batch: Batch, scale: float) -> Batch:
    """A batch at another scale as the releases of PraNet, Polyp-PVT and KDAS have it; at scale 1 as it came.

    Image and mask `(B, H, W)` are both resized bilinearly, corners on corners and without smoothing, so that the mask
    holds shares from 0 to 1.
    """
    if scale == 1:
        return batch
    size = scaled(batch.image.shape[2:], scale)
    image, mask = (
        F.interpolate(x, size=size, mode="bilinear", align_corners=True)
        for x in (batch.image, batch.mask[:, None].float())
    )
    return Batch(image, mask[:, 0], batch.ids, batch.teacher)


def check_shares(batch: Batch) -> None:
    """Refuse a batch whose masks bilinear resizing would turn into something else than shares of foreground.

    Raises:
        SegDistillError: If a mask holds a label to ignore, which would be blended with 0 and 1 as if it were a number.
    """
    stray = (batch.mask < 0) | (batch.mask > 1)
    if not stray.any():
        return
    name = batch.ids[int(stray.nonzero()[0, 0])]
    raise SegDistillError(
        f"The mask of {name!r} holds label {batch.mask[stray][0]:g}: the shares of foreground that rescale "
        f"'as_released' makes can be made of 0 and 1 alone. Take rescale 'smooth', or make these pixels background."
    )


def _nearest(mask: Tensor, size: tuple[int, ...]) -> Tensor:
    planes = mask[:, None] if mask.ndim == len(size) + 1 else mask
    resized = F.interpolate(planes.float(), size=size, mode="nearest-exact").to(mask.dtype)
    return resized[:, 0] if mask.ndim == len(size) + 1 else resized


def _networks(teacher: TeacherSource | None) -> list[Tapped]:
    """The networks that answer for a teacher: one, or those of an ensemble."""
    nets = (getattr(each, "net", None) for each in getattr(teacher, "teachers", [teacher]))
    return [net for net in nets if isinstance(net, Tapped)]
