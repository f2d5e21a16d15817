"""Paired augmentation of image and mask: one affine warp, one colour matrix, both on bytes."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from segdistill.core import SegDistillError
from segdistill.data.resize import resize_image, resize_mask
from segdistill.data.samples import Sample, as_sample
from segdistill.data.soft import Matrix, SoftMask, flip, warp
from segdistill.images.pixels import Pixels

_GREY = np.array([0.299, 0.587, 0.114])
_DRAWS = 10


class Augment:
    """Resize, flip, warp and recolour a sample; image, mask and a stored teacher's maps move together.

    Flips, rotation, zoom and shift are one matrix and brightness, contrast and saturation are another, so
    every pixel is read twice at most. Beyond its rim the image is mirrored, and so is the mask. There is no
    hue jitter: it costs more than all the rest. A teacher's maps keep their own grid, and colours do not reach them.

    Args:
        size: Side, or (height, width), of the output in pixels; the image is stretched to it.
        hflip: Probability of a left-right flip.
        vflip: Probability of an upside-down flip.
        rotation: Largest rotation either way, in degrees.
        scale: Range of the zoom; above 1 magnifies.
        translate: Largest shift either way, as a share of the side.
        brightness: Largest relative change either way; so for contrast and saturation.
        contrast: See brightness.
        saturation: See brightness.
        p_affine: Probability of rotation, zoom and shift; the other samples stay as sharp as they are.
        ignore_index: Give mirrored pixels this value in the mask, such as 255, so that no loss sees them.

    Raises:
        SegDistillError: If a probability, range or size cannot be.

    Examples:
        >>> Augment(256, hflip=0.5, rotation=45)  # doctest: +ELLIPSIS
        Augment(size=(256, 256), hflip=0.5, vflip=0.5, rotation=45, ...)
    """

    #: It moves a teacher's maps on whatever grid they are; see `SoftMask`.
    moves_maps = True

    def __init__(
        self,
        size: int | tuple[int, int],
        *,
        hflip: float = 0.5,
        vflip: float = 0.5,
        rotation: float = 90,
        scale: tuple[float, float] = (0.75, 1.25),
        translate: float = 0.06,
        brightness: float = 0.2,
        contrast: float = 0.2,
        saturation: float = 0.3,
        p_affine: float = 0.5,
        ignore_index: int | None = None,
    ) -> None:
        self.size = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
        self.hflip, self.vflip, self.p_affine = hflip, vflip, p_affine
        self.rotation, self.scale, self.translate = rotation, (scale[0], scale[1]), translate
        self.brightness, self.contrast, self.saturation = brightness, contrast, saturation
        self.ignore_index = ignore_index
        self._validate()

    def __call__(self, sample: Sample) -> Sample:
        """Return a new sample of the fixed size; draws from torch's global generator only."""
        draws = torch.rand(_DRAWS).tolist()  # always the same number, so one option never shifts another
        if sample["image"].ndim != 3 or sample["image"].shape[0] != 3:
            raise SegDistillError(
                f"Augment recolours RGB, and the image of {sample['id']!r} is {tuple(sample['image'].shape)}. Give "
                f"(3, H, W), a grey image three times over, or augment with transforms of torchvision."
            )
        image = resize_image(sample["image"].permute(1, 2, 0).numpy(), self.size)
        mask = resize_mask(sample["mask"].numpy(), self.size)
        flips = draws[0] < self.hflip, draws[1] < self.vflip
        matrix = self._matrix(flips, draws) if draws[2] < self.p_affine else None
        image, mask = self._move(image, mask, flips, matrix)
        moved = as_sample(self._recolour(image, draws), mask, sample["id"])
        if "teacher" in sample:
            moved["teacher"] = {tap: self._move_map(m, flips, matrix) for tap, m in sample["teacher"].items()}
        return moved

    def options(self) -> dict[str, Any]:
        """Return every option by name, to be recorded with a run."""
        return {
            "size": self.size,
            "hflip": self.hflip,
            "vflip": self.vflip,
            "rotation": self.rotation,
            "scale": self.scale,
            "translate": self.translate,
            "brightness": self.brightness,
            "contrast": self.contrast,
            "saturation": self.saturation,
            "p_affine": self.p_affine,
            "ignore_index": self.ignore_index,
        }

    def __repr__(self) -> str:
        """Show the call that makes the same augmentation."""
        return f"Augment({', '.join(f'{name}={value!r}' for name, value in self.options().items())})"

    def _move(
        self, image: Pixels, mask: Pixels, flips: tuple[bool, bool], matrix: Matrix | None
    ) -> tuple[Pixels, Pixels]:
        if matrix is None:
            return _flip(image, flips), _flip(mask, flips)
        image = _warp(image, matrix, cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101, 0)
        if self.ignore_index is None:
            return image, _warp(mask, matrix, cv2.INTER_NEAREST, cv2.BORDER_REFLECT_101, 0)
        return image, _warp(mask, matrix, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT, self.ignore_index)

    def _move_map(self, soft: Tensor, flips: tuple[bool, bool], matrix: Matrix | None) -> SoftMask:
        plain = soft.as_subclass(Tensor)
        return SoftMask(flip(plain, flips) if matrix is None else warp(plain, matrix, self.size))

    def _matrix(self, flips: tuple[bool, bool], draws: list[float]) -> Matrix:
        """Compose flip, zoom, rotation and shift about the centre: `(2, 3)`, from input to output pixels."""
        height, width = self.size
        angle = math.radians(self.rotation * _signed(draws[3]))
        zoom = self.scale[0] * (self.scale[1] / self.scale[0]) ** draws[4]  # as often in as out
        turn = zoom * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        linear = turn @ np.diag([-1.0 if flipped else 1.0 for flipped in flips])
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        shift = self.translate * np.array([width * _signed(draws[5]), height * _signed(draws[6])])
        return np.column_stack([linear, centre + shift - linear @ centre])

    def _recolour(self, image: Pixels, draws: list[float]) -> Pixels:
        """Apply saturation, contrast and brightness, which are all linear in the colours, as one matrix."""
        if not (self.brightness or self.contrast or self.saturation):
            return image
        bright = 1 + self.brightness * _signed(draws[7])
        contrast = 1 + self.contrast * _signed(draws[8])
        saturation = 1 + self.saturation * _signed(draws[9])
        colours = bright * contrast * (saturation * np.eye(3) + (1 - saturation) * _GREY)
        mean = float(np.dot(cv2.mean(image)[:3], _GREY))
        offset = np.full((3, 1), bright * (1 - contrast) * mean)
        recoloured: Pixels = cv2.transform(image, np.hstack([colours, offset]))
        return recoloured if image.dtype == np.uint8 else recoloured.clip(0, 1)

    def _validate(self) -> None:
        for name in ("hflip", "vflip", "p_affine"):
            _refuse_outside(name, getattr(self, name), 0, 1)
        for name in ("brightness", "contrast", "saturation", "translate"):
            _refuse_outside(name, getattr(self, name), 0, 1)
        _refuse_outside("rotation", self.rotation, 0, 180)
        if not 0 < self.scale[0] <= self.scale[1]:
            raise SegDistillError(f"scale={self.scale} is no range of zooms; use one such as (0.75, 1.25).")
        if min(self.size) < 1:
            raise SegDistillError(f"size={self.size} is empty; use one such as (256, 256).")


def _signed(draw: float) -> float:
    return 2 * draw - 1


def _flip(pixels: Pixels, flips: tuple[bool, bool]) -> Pixels:
    horizontal, vertical = flips
    if not (horizontal or vertical):
        return pixels
    code = -1 if horizontal and vertical else 1 if horizontal else 0
    flipped: Pixels = cv2.flip(pixels, code)
    return flipped


def _warp(pixels: Pixels, matrix: Matrix, sampling: int, border: int, fill: int) -> Pixels:
    height, width = pixels.shape[:2]
    moved: Pixels = cv2.warpAffine(
        pixels, matrix, (width, height), flags=sampling, borderMode=border, borderValue=(fill, fill, fill)
    )
    return moved


def _refuse_outside(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SegDistillError(f"{name}={value} is out of range; use {low} to {high}.")
