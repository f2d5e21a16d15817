"""Samples that carry what a teacher said about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor
from torchvision import tv_tensors

from segdistill.core import SegDistillError
from segdistill.data.samples import Sample
from segdistill.data.seeding import seeded, stable_seed
from segdistill.data.soft import SoftMask, teach_torchvision
from segdistill.taps import LOGITS, resize

_TRIES = 8  # most chains draw whether to move at all
_ALIKE = (
    0.75  # overlap: edges differ between nearest and linear sampling, and so does what lies beyond the rim
)


class TeacherMaps(Protocol):
    """A teacher's stored maps by sample: of the image as it is, or of some augmented views of it.

    Attributes:
        views: How many augmented views are stored per sample; 0 stores the image as it is.
    """

    views: int

    def read(self, name: str, view: int = 0) -> dict[str, Tensor]:
        """Maps `(C, *spatial)` by tap, with the logits under `"logits"`."""
        ...


def view_of(sample: Sample, augment: Callable[[Any], Any] | None, view: int) -> Sample:
    """The augmented view of a sample that every process and every epoch draws alike."""
    if augment is None:
        return sample
    with seeded(stable_seed("view", view, sample["id"])):
        viewed: Sample = augment(sample)
    return viewed


def check_repeats(sample: Sample, augment: Callable[[Any], Any] | None) -> None:
    """Refuse an augmentation whose views cannot be drawn again.

    Raises:
        SegDistillError: If it draws from something else than torch's global generator.
    """
    for view in range(_TRIES):
        one, other = (view_of(sample, augment, view)["image"].as_subclass(Tensor) for _ in range(2))
        if one.shape != other.shape or not torch.equal(one, other):
            raise SegDistillError(
                "The augmentation draws a view of the same image differently each time, so the teacher's answer would "
                "be to another one. Draw all random numbers from torch, as in torch.rand(1)."
            )


def moves_maps(augment: Callable[[Any], Any] | None) -> bool:
    """Whether an augmentation moves maps on a grid of their own; others move them at the image's size."""
    return augment is None or bool(getattr(augment, "moves_maps", False))


def with_maps(sample: Sample, maps: Mapping[str, Tensor], augment: Callable[[Any], Any] | None) -> Sample:
    """A sample with its teacher's maps, ready for an augmentation."""
    if not moves_maps(augment):
        teach_torchvision()
        maps = {name: _at_size(soft, sample["image"].shape[1:]) for name, soft in maps.items()}
    return {**sample, "teacher": {name: SoftMask(soft) for name, soft in maps.items()}}


def check_moves(sample: Sample, augment: Callable[[Any], Any] | None, *, owner: str = "cache") -> None:
    """Refuse an augmentation that moves the mask but not the teacher's map.

    Both get the same pattern, and have to show the same pattern after it.

    Raises:
        SegDistillError: If it drops the maps, or leaves them where they were.
    """
    if moves_maps(augment) or augment is None:
        return
    pattern = torch.zeros(sample["image"].shape[1:], dtype=torch.uint8)
    height, width = pattern.shape[-2:]
    pattern[..., height // 6 : height // 2, width // 6 : width // 2] = 1
    for seed in range(_TRIES):
        marked: Sample = {**sample, "mask": tv_tensors.Mask(pattern.clone())}
        marked = with_maps(marked, {LOGITS: pattern[None].float()}, augment)
        with seeded(stable_seed("moves", seed)):
            result = augment(marked)
        if "teacher" not in result:
            raise _not_moved("drops the teacher's maps", owner)
        moved, mask = result["teacher"][LOGITS].as_subclass(Tensor)[0] > 0.5, result["mask"] == 1
        if moved.shape != mask.shape or _overlap(moved, mask.as_subclass(Tensor)) < _ALIKE:
            raise _not_moved("moves the mask but not the teacher's map", owner)


def _overlap(one: Tensor, other: Tensor) -> float:
    """Intersection over union; 1 where too little is in view to tell."""
    union = (one | other).sum().item()
    return 1.0 if union < one.numel() / 20 else (one & other).sum().item() / union


def _not_moved(what: str, owner: str) -> SegDistillError:
    return SegDistillError(
        f"The augmentation {what}, so the {owner} would teach another image. "
        "Augment with segdistill.data.Augment, or cache views of the augmented images (views=4)."
    )


def _at_size(soft: Tensor, size: torch.Size) -> Tensor:
    return resize(soft[None].float(), size)[0]
