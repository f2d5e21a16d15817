"""Whose output it is, of what: what tells teachers, data and augmentations apart."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from segdistill.core import SegDistillError
from segdistill.data.samples import Samples, digest
from segdistill.taps import Tapped
from segdistill.teachers.source import TeacherSource


def preprocessing(source: TeacherSource) -> Any:
    """What a teacher does to images and with its layers' outputs, and what its weights do not say of its architecture.

    The same weights give other maps with another output stride, or under a name that stands for another layer. A
    `to_logits` is known by its name alone. `None` where a teacher does not tell.
    """
    members = getattr(source, "teachers", None)
    if members is not None:
        return [preprocessing(member) for member in members] + [list(getattr(source, "weights", []))]
    net = getattr(source, "net", None)
    if not isinstance(net, Tapped):
        return None
    return {
        "mean": [round(value, 6) for value in net.mean.tolist()],
        "std": [round(value, 6) for value in net.std.tolist()],
        "size": list(net.size) if net.size else None,
        "network": net.spec["spec"] if net.spec else None,
        "aliases": dict(sorted(net.aliases.items())),
        "prefix_tokens": net.prefix_tokens,
        "channels_last": net.channels_last,
        "to_logits": getattr(net.to_logits, "__qualname__", type(net.to_logits).__name__),
    }


def contents(dataset: Dataset[Any]) -> dict[str, str]:
    """Hash of the image by sample id; a data set that knows none has its images decoded and hashed.

    Where only image and mask are hashed together, an edited mask looks like an edited image.
    """
    if isinstance(dataset, Samples):
        known = dataset.image_hashes()
        return {name: known[name] for name in dataset.ids}
    found: dict[str, str] = {}
    for index in range(len(dataset)):  # type: ignore[arg-type]
        sample = dataset[index]
        if sample["id"] in found:
            raise SegDistillError(f"Two samples are called {sample['id']!r}; a cache needs one id for each.")
        image = torch.as_tensor(sample["image"]).as_subclass(Tensor).contiguous()
        found[sample["id"]] = digest([str(tuple(image.shape)), image.view(torch.uint8).numpy().tobytes()])
    return found


def decoded_by(dataset: Dataset[Any]) -> str | None:
    """How the images are read, resized say; `None` where `contents` hashes what was decoded."""
    return dataset.describe() if isinstance(dataset, Samples) else None


def drawn_by(augment: Any) -> str:
    """How an augmentation draws its views, as text.

    Raises:
        SegDistillError: If it does not say.
    """
    text = repr(augment)
    if " at 0x" in text:
        raise SegDistillError(
            f"Views need an augmentation that tells its options, but this one shows as {text}. "
            "Use segdistill.data.Augment, transforms of torchvision, or write a __repr__."
        )
    return " ".join(text.split())
