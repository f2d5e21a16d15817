"""One sample of anybody's data set, in the form that everything else relies on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors

from segdistill.core import SegDistillError
from segdistill.data.samples import Sample
from segdistill.data.soft import SoftMask


def read_sample(dataset: Dataset[Any], index: int) -> Sample:
    """Read a sample: its image as bytes or floats in [0, 1], its mask as whole numbers.

    A data set may give arrays or tensors of any kind; labels may be of any type as long as they are whole. A
    `SoftMask` stays as it is, and so does whatever else the sample holds.

    Raises:
        SegDistillError: If it is not a sample, or its values are neither pixels nor labels.
    """
    return in_form(dataset[index])


def in_form(sample: Any) -> Sample:
    """Bring a sample to that form."""
    if not isinstance(sample, Mapping) or not {"image", "mask", "id"} <= sample.keys():
        raise SegDistillError(
            f"A sample is {{'image', 'mask', 'id'}}, but the data set gives a {type(sample).__name__}."
        )
    name = str(sample["id"])
    image = _pixels(_tensor(sample["image"], "image", name), name)
    mask = sample["mask"]
    if not isinstance(mask, SoftMask):
        mask = tv_tensors.Mask(_labels(_tensor(mask, "mask", name), name))
    return {**sample, "image": tv_tensors.Image(image), "mask": mask, "id": name}  # type: ignore[typeddict-item]


def _tensor(value: Any, kind: str, name: str) -> Tensor:
    try:
        plain = np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value
        return torch.as_tensor(plain).as_subclass(Tensor)
    except (RuntimeError, TypeError, ValueError) as error:
        raise SegDistillError(
            f"The {kind} of {name!r} is of type {type(value).__name__}. Give a tensor or a numpy array."
        ) from error


def _pixels(image: Tensor, name: str) -> Tensor:
    if image.dtype == torch.uint8:
        return image
    low, high = image.min(), image.max()
    if not (image.is_floating_point() and low >= 0 and high <= 1):
        raise SegDistillError(
            f"The image of {name!r} holds {image.dtype} from {low:g} to {high:g}. Give bytes, or floats in [0, 1]."
        )
    return image


def _labels(mask: Tensor, name: str) -> Tensor:
    """Bytes where the labels fit, since that is what augmentations read; else 64-bit integers."""
    if mask.dtype == torch.uint8:
        return mask
    if mask.is_floating_point() and not torch.equal(mask, mask.round()):
        broken = mask[mask != mask.round()][0]
        raise SegDistillError(
            f"The mask of {name!r} holds {broken:g}, and a label is a whole number. Give class indices."
        )
    whole = mask.long()
    return whole.byte() if whole.min() >= 0 and whole.max() <= 255 else whole
