"""Samples as the releases of the polyp field bring them to size."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors

from segdistill.core import SegDistillError
from segdistill.data.samples import Sample
from segdistill.data.soft import SoftMask
from segdistill.images.pixels import Pixels


class ReleasedResize:
    """Resize and nothing else, as KDAS3's training does: Pillow's bilinear filter for the image, and for the mask.

    The mask then holds the share of foreground of every pixel, from 0 to 1: a `SoftMask` `(H, W)`. The release means to
    flip and rotate as well, but compares the switch, `True`, with the text `"True"`.

    Args:
        size: Side, or (height, width), of the output in pixels; the image is stretched to it.

    Raises:
        SegDistillError: When called, if a mask holds anything but 0 and 1, such as pixels to ignore.

    Examples:
        >>> from segdistill.data import SyntheticSet
        >>> mask = ReleasedResize(32)(SyntheticSet(1, size=(96, 120))[0])["mask"]
        >>> mask.dtype, tuple(mask.shape)
        (torch.float32, (32, 32))
    """

    #: A teacher's maps lie on a grid of their own over the whole image, which nothing here moves.
    moves_maps = True

    def __init__(self, size: int | tuple[int, int]) -> None:
        self.size = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))

    def __call__(self, sample: Sample) -> Sample:
        """Return a new sample of the fixed size."""
        labels = sample["mask"].numpy()
        if labels.max() > 1:
            raise SegDistillError(
                f"The mask of {sample['id']!r} holds label {labels.max()}: shares of foreground can be made of 0 and 1 "
                f"alone. Take Augment instead."
            )
        image = self._resized(sample["image"].permute(1, 2, 0).numpy())
        mask = self._resized(labels.astype(np.uint8) * np.uint8(255))
        share = torch.from_numpy(mask).float() / 255
        return {
            **sample,
            "image": tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)),
            "mask": SoftMask(share),
        }

    def __repr__(self) -> str:
        """Show the call that makes the same."""
        return f"ReleasedResize({self.size})"

    def _resized(self, pixels: Pixels) -> Pixels:
        height, width = self.size
        return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))
