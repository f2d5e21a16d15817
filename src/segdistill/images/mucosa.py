"""Draw one endoscopy-like frame: tissue, folds, polyps, light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.images.pixels import Pixels

VERSION = 1  # raise it with every change of a pixel

Plane = NDArray[np.float32]


def draw(
    scene: np.random.Generator, frame: np.random.Generator, *, size: tuple[int, int], polyps: int
) -> tuple[Pixels, Pixels]:
    """Draw a frame and its mask: `(H, W, 3)` and `(H, W)`, both uint8.

    Args:
        scene: Draws what the frames of one video share: tissue colour, light and the shape of the picture.
        frame: Draws the rest.
        size: (height, width).
        polyps: How many polyps; they may overlap.
    """
    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    tissue = scene.uniform((0.66, 0.36, 0.26), (0.86, 0.52, 0.44)).astype(np.float32)
    light = scene.uniform(0.35, 0.65) * width, scene.uniform(0.35, 0.65) * height
    relief = 0.22 * _noise(frame, size, 4) + 0.08 * _noise(frame, size, 14) + _folds(frame, x, y)
    colour: Plane = tissue * (1 + 0.05 * _noise(frame, size, 40))[..., None]
    mask = np.zeros(size, np.uint8)
    for _ in range(int(frame.integers(0, 3))):
        relief += _bump(frame, x, y, stretch=frame.uniform(3.0, 5.0))[1]  # fold-like, and not a polyp
    for _ in range(polyps):
        inside, bump = _bump(frame, x, y, stretch=frame.uniform(1.0, 1.7))
        relief += bump
        colour = _tint(frame, colour, inside, size)
        mask |= (inside > 0.5).view(np.uint8)
    shade = _shade(relief, x, y, light) * _lumen(frame, x, y)
    picture = colour * shade[..., None]
    picture += _highlights(frame, shade, size)[..., None]
    rim = _rim(scene, x, y)
    picture *= rim[..., None]
    picture += 0.012 * frame.standard_normal((height, width, 1), dtype=np.float32)
    return np.clip(picture * 255, 0, 255).astype(np.uint8), mask * rim.astype(np.uint8)


def _noise(rng: np.random.Generator, size: tuple[int, int], cells: int) -> Plane:
    """Smooth noise in [-1, 1] with about `cells` bumps across."""
    coarse = rng.uniform(-1, 1, (max(2, cells * 3 // 4), cells)).astype(np.float32)
    noise: Plane = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    return noise


def _folds(rng: np.random.Generator, x: Plane, y: Plane) -> Plane:
    """Haustral folds: bent ridges around a far point, with narrow creases between them."""
    height, width = x.shape
    cx, cy = rng.uniform(-0.3, 1.3) * width, rng.uniform(-0.3, 1.3) * height
    phase = (
        np.hypot(x - cx, y - cy) * (rng.uniform(4, 9) / height)
        + 1.2 * _noise(rng, (height, width), 4)
        + rng.uniform(0, 6.3)
    )
    ridges = np.sqrt(np.abs(np.sin(phase)))
    height_of_folds = rng.uniform(0.15, 0.45) * (0.6 + 0.4 * _noise(rng, (height, width), 3))
    folds: Plane = (ridges * height_of_folds).astype(np.float32, copy=False)
    return folds


def _lumen(rng: np.random.Generator, x: Plane, y: Plane) -> Plane:
    """Light that is lost in the far end of the bowel, where that is in sight: factors up to 1."""
    height, width = x.shape
    cx, cy, radius = (
        rng.uniform(-0.3, 1.3) * width,
        rng.uniform(-0.3, 1.3) * height,
        rng.uniform(0.15, 0.4) * height,
    )
    distance = ((x - cx) ** 2 + (y - cy) ** 2) / radius**2
    lumen: Plane = (1 - 0.85 * np.exp(-distance)).astype(np.float32)
    return lumen


def _bump(rng: np.random.Generator, x: Plane, y: Plane, *, stretch: float) -> tuple[Plane, Plane]:
    """Return (inside 0..1 with a soft rim, height) of a dome with an uneven outline."""
    height, width = x.shape
    radius = height * rng.uniform(0.09, 0.24) / stretch**0.5
    cx, cy = rng.uniform(0.15, 0.85) * width, rng.uniform(0.15, 0.85) * height
    angle = rng.uniform(0, np.pi)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    u = ((x - cx) * cos + (y - cy) * sin) / (radius * stretch)
    v = ((y - cy) * cos - (x - cx) * sin) / radius
    distance = np.sqrt(u * u + v * v) * (1 + 0.16 * _noise(rng, (height, width), 10))
    inside = 0.5 - 0.5 * np.tanh((distance - 1) * rng.uniform(4, 10))
    dome = np.sqrt(np.maximum(0, 1 - 0.8 * distance * distance)) * rng.uniform(0.25, 0.5)
    return inside.astype(np.float32), dome.astype(np.float32)


def _tint(rng: np.random.Generator, colour: Plane, inside: Plane, size: tuple[int, int]) -> Plane:
    """Give a polyp its own, slightly different colour and finer texture."""
    shift = rng.uniform((0.98, 0.84, 0.88), (1.10, 1.04, 1.06)).astype(np.float32)
    texture = 1 + 0.07 * _noise(rng, size, 60)
    tinted: Plane = colour * (1 + inside[..., None] * (shift * texture[..., None] - 1))
    return tinted


def _shade(relief: Plane, x: Plane, y: Plane, light: tuple[float, float]) -> Plane:
    """Light the relief from the endoscope's tip: slopes that face it and what is near it are bright."""
    height = x.shape[0]
    smooth = cv2.GaussianBlur(relief, (0, 0), height / 120)
    gx, gy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)
    dx, dy = (x - light[0]) / height, (y - light[1]) / height
    slope = -(gx * dx + gy * dy) * (height / 60)
    near = 1.12 - 1.1 * (dx * dx + dy * dy)
    shade: Plane = np.clip(near + 0.9 * slope + 0.35 * smooth, 0.12, 1.5).astype(np.float32)
    return shade


def _highlights(rng: np.random.Generator, shade: Plane, size: tuple[int, int]) -> Plane:
    """Small wet spots that mirror the lamp, where much light falls."""
    spots = _noise(rng, size, 44) + 0.8 * np.minimum(shade, 1.4)
    wet: Plane = np.clip((spots - rng.uniform(1.7, 2.1)) * 5, 0, 0.7).astype(np.float32)
    return wet


def _rim(scene: np.random.Generator, x: Plane, y: Plane) -> Plane:
    """The black corners of the picture: a rounded square of 0 and 1."""
    height, width = x.shape
    u, v = np.abs(2 * x / width - 1), np.abs(2 * y / height - 1)
    rim: Plane = ((u + v < 1.72) & (u < 0.98) & (v < 0.98)).astype(np.float32)
    return rim
