"""A teacher's map that travels with its image: geometry moves it, colours do not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torchvision import tv_tensors

from segdistill.core import SegDistillError

Matrix = NDArray[np.float64]

_CV2_CHANNELS = 4  # from here on OpenCV gathers channel by channel, and torch is faster


class SoftMask(tv_tensors.TVTensor):  # type: ignore[misc]
    """Real values per class or channel, `(C, H, W)`, over the pixels of an image.

    Flips and crops move it exactly, everything else bilinearly; it has no colours to change. It may be coarser than
    its image: `Augment` moves it on its own grid. Transforms of torchvision move it at the image's size.

    Examples:
        >>> SoftMask(torch.zeros(1, 4, 4)).shape
        torch.Size([1, 4, 4])
    """

    def __new__(cls, data: Any) -> SoftMask:
        """Mark a tensor, without a copy."""
        return torch.as_tensor(data).as_subclass(cls)


def flip(soft: Tensor, flips: tuple[bool, bool]) -> Tensor:
    """Flip `(C, H, W)` left-right and upside-down, as asked."""
    axes = [axis for axis, flipped in zip((-1, -2), flips, strict=True) if flipped]
    return soft.flip(axes) if axes else soft


def warp(soft: Tensor, matrix: Matrix, size: tuple[int, int]) -> Tensor:
    """Move `(C, h, w)` like its image, bilinearly, mirrored beyond the rim.

    Args:
        soft: The map, on a grid of its own over the whole image.
        matrix: `(2, 3)`, from input to output pixels of the image.
        size: (height, width) of the image.
    """
    if soft.shape[0] <= _CV2_CHANNELS and soft.shape[-2:] == size:
        return _warp_few(soft, matrix)
    return _warp_many(soft, _sources(matrix, size, (soft.shape[-2], soft.shape[-1])))


def _warp_few(soft: Tensor, matrix: Matrix) -> Tensor:
    pixels = np.ascontiguousarray(soft.float().movedim(0, -1).numpy())
    height, width = pixels.shape[:2]
    moved = cv2.warpAffine(
        pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return torch.from_numpy(moved.reshape(pixels.shape)).movedim(-1, 0).to(soft.dtype)


def _warp_many(soft: Tensor, sources: Matrix) -> Tensor:
    moved = F.grid_sample(
        soft[None].float(),
        torch.from_numpy(sources[None]).float(),
        padding_mode="border",
        align_corners=False,
    )
    return moved[0].to(soft.dtype)


def _sources(matrix: Matrix, size: tuple[int, int], grid: tuple[int, int]) -> Matrix:
    """Where the centre of every cell of a grid comes from, `(h, w, 2)`; the image spans -1 to 1.

    What lies beyond the image is mirrored on the image's own pixels, whatever the grid.
    """
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    y, x = ((np.arange(n) + 0.5) * of / n - 0.5 for n, of in zip(grid, size, strict=True))
    centres = np.stack([*np.meshgrid(x, y), np.ones(grid)], axis=-1)
    places = _mirrored(centres @ back.T, np.array(size[::-1]))
    inside: Matrix = 2 * (places + 0.5) / size[::-1] - 1
    return inside


def _mirrored(places: Matrix, size: NDArray[np.int_]) -> Matrix:
    """Reflect pixels beyond an image about the centres of its outermost ones, as `cv2.BORDER_REFLECT_101` does."""
    last = np.maximum(size - 1, 1e-9)  # an image of one pixel is that pixel everywhere
    turned: Matrix = last - np.abs(np.mod(places, 2 * last) - last)
    return turned


@cache
def teach_torchvision() -> None:
    """Tell the transforms of torchvision how to move a `SoftMask`; those that would tear it refuse.

    A kernel's result has to be marked anew: torchvision marks only its own types, and the next transform of a chain
    would pass an unmarked tensor through as it is.
    """
    from torchvision.transforms.v2 import functional as v2

    moved: dict[Callable[..., Any], Callable[..., Tensor]] = {
        v2.horizontal_flip: v2.horizontal_flip_image,
        v2.vertical_flip: v2.vertical_flip_image,
        v2.resize: _bilinear(v2.resize_image),
        v2.crop: v2.crop_image,
        v2.center_crop: v2.center_crop_image,
        v2.resized_crop: _bilinear(v2.resized_crop_image),
        v2.affine: _beyond_rim(v2.affine_image),
        v2.rotate: _beyond_rim(v2.rotate_image),
    }
    for functional, kernel in moved.items():
        v2.register_kernel(functional, SoftMask)(_marking(kernel))
    for functional in (v2.pad, v2.perspective, v2.elastic, v2.five_crop, v2.ten_crop):
        v2.register_kernel(functional, SoftMask)(_refusing(functional.__name__))


def _marking(kernel: Callable[..., Tensor]) -> Callable[..., SoftMask]:
    def marked(soft: Tensor, *args: Any, **options: Any) -> SoftMask:
        return SoftMask(kernel(soft.as_subclass(Tensor), *args, **options))

    return marked


def _bilinear(kernel: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def smooth(soft: Tensor, *args: Any, interpolation: Any = None, **options: Any) -> Tensor:
        return kernel(soft, *args, **options)  # bilinear is the default of both

    return smooth


def _beyond_rim(kernel: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Repeat the map's rim, since no number stands for "nothing here" among logits."""
    from torchvision.transforms.v2 import InterpolationMode

    def moved(
        soft: Tensor,
        *args: Any,
        interpolation: Any = None,
        fill: Any = None,
        center: list[float] | None = None,
        expand: bool = False,
        **options: Any,
    ) -> Tensor:
        if expand:
            raise _refusal("rotate with expand=True")
        height, width = soft.shape[-2:]
        about = None if center is None else [center[0] + width, center[1] + height]
        wide = F.pad(soft[None], (width, width, height, height), mode="replicate")[0]
        wide = kernel(wide, *args, interpolation=InterpolationMode.BILINEAR, center=about, **options)
        return wide[..., height : 2 * height, width : 2 * width]

    return moved


def _refusing(name: str) -> Callable[..., Tensor]:
    def refuse(*_: Any, **__: Any) -> Tensor:
        raise _refusal(name)

    return refuse


def _refusal(what: str) -> SegDistillError:
    return SegDistillError(
        f"{what} of torchvision cannot move a teacher's map. "
        "Augment with segdistill.data.Augment, or cache views of the augmented images (views=4)."
    )
