"""What a data set is: samples with stable ids, and the sets that one training needs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, TypeVar

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors

from segdistill.core import SegDistillError
from segdistill.images.pixels import Pixels

if TYPE_CHECKING:
    from segdistill.data.splits import Split
    from segdistill.data.taught import TeacherMaps

Result = TypeVar("Result")


class Sample(TypedDict):
    """One image with its mask.

    Attributes:
        image: `(3, H, W)` uint8, RGB.
        mask: `(H, W)` uint8 class indices; 255 is ignored.
        id: The stable name, unique within its data set.
        teacher: `(C, h, w)` maps of a stored teacher by tap, where there is one.
    """

    image: tv_tensors.Image
    mask: tv_tensors.Mask
    id: str
    teacher: NotRequired[Mapping[str, Tensor]]


def as_sample(image: Pixels, mask: Pixels, name: str) -> Sample:
    """Wrap `(H, W, 3)` and `(H, W)` uint8 arrays as one sample, without a copy."""
    if image.shape[:2] != mask.shape:
        raise SegDistillError(
            f"Image and mask of {name!r} differ in size, {image.shape[:2]} and {mask.shape}; "
            "export the mask at the image's size."
        )
    return {
        "image": tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)),
        "mask": tv_tensors.Mask(torch.from_numpy(mask)),
        "id": name,
    }


def named(names: Sequence[str], *, limit: int = 3) -> str:
    """List the first names and count the rest, for messages."""
    shown = ", ".join(map(repr, names[:limit]))
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


class Samples(Dataset[Sample]):
    """Base of the library's data sets. A subclass sets the attributes and writes `arrays` and `hashes`.

    Attributes:
        ids: One stable name per sample, unique within the set.
        groups: The patient, sequence or case of every sample: what a split must not tear apart.
        sources: The collection every sample comes from; a split keeps their proportions.
        classes: Class names by index.
    """

    ids: list[str]
    groups: list[str]
    sources: list[str]
    classes: tuple[str, ...]

    def arrays(self, index: int) -> tuple[Pixels, Pixels]:
        """Read one sample as `(H, W, 3)` RGB and `(H, W)` class indices, both uint8."""
        raise NotImplementedError

    def hashes(self) -> dict[str, str]:
        """Hash the content of every sample, by id."""
        raise NotImplementedError

    def image_hashes(self) -> dict[str, str]:
        """Hash every image without its mask, by id; the whole sample where a set does not tell them apart."""
        return self.hashes()

    def describe(self) -> str:
        """Name how the samples are decoded, for everything that may change a pixel; the key of caches."""
        return type(self).__name__

    def stamps(self) -> list[str]:
        """Return a mark per sample that changes with its source; cheaper than `hashes` where it can be."""
        content = self.hashes()
        return [content[name] for name in self.ids]

    def fingerprint(self) -> str:
        """Hash the whole set: the same for the same content under the same ids, in any order."""
        return digest(f"{name}={content}" for name, content in sorted(self.hashes().items()))

    def sizes(self) -> list[tuple[int, ...]]:
        """Return the size of every image, (height, width); a subclass that knows it decodes nothing."""
        return in_threads(lambda index: self.arrays(index)[1].shape, range(len(self)))

    def check(self) -> None:
        """Decode every sample once and report all that cannot be used, in one sentence.

        Raises:
            SegDistillError: With the count and the first names.
        """
        refuse_broken(self.ids, self.__getitem__)

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.ids)

    def __getitem__(self, index: int) -> Sample:
        """Read one sample at native size."""
        return as_sample(*self.arrays(index), self.ids[index])


class Part(Samples):
    """Some samples of a data set, by id, in the order of the ids.

    Args:
        whole: The data set to take from.
        ids: The ids to keep.
    """

    def __init__(self, whole: Samples, ids: Sequence[str]) -> None:
        position = {name: index for index, name in enumerate(whole.ids)}
        missing = [name for name in ids if name not in position]
        if missing:
            raise SegDistillError(f"The data set has no sample {named(missing)}; check the ids.")
        self.whole, self.ids, self.classes = whole, list(ids), whole.classes
        self._indices = [position[name] for name in ids]
        self.groups = [whole.groups[index] for index in self._indices]
        self.sources = [whole.sources[index] for index in self._indices]

    def arrays(self, index: int) -> tuple[Pixels, Pixels]:
        """Read one sample of the part."""
        return self.whole.arrays(self._indices[index])

    def hashes(self) -> dict[str, str]:
        """Hash the content of the part's samples."""
        content = self.whole.hashes()
        return {name: content[name] for name in self.ids}

    def image_hashes(self) -> dict[str, str]:
        """Hash the part's images."""
        content = self.whole.image_hashes()
        return {name: content[name] for name in self.ids}

    def describe(self) -> str:
        """Name how the samples are decoded."""
        return self.whole.describe()

    def sizes(self) -> list[tuple[int, ...]]:
        """Return the sizes of the part's images."""
        sizes = self.whole.sizes()
        return [sizes[index] for index in self._indices]

    def stamps(self) -> list[str]:
        """Return the marks of the part's samples."""
        stamps = self.whole.stamps()
        return [stamps[index] for index in self._indices]


@dataclass
class Data:
    """The data sets of one training.

    Attributes:
        train: What is learnt from.
        val: What the best epoch is selected on, carved from the training set; never a test set.
        tests: What is reported, by name.
        augment: Sample -> sample of one fixed size, drawing only from torch's global generator.
        split: How `train` and `val` were carved, where they were.
        maps: A teacher's stored maps of `train`; `distill` fills it in from a `Cached` teacher.
    """

    train: Dataset[Any]
    val: Dataset[Any]
    tests: dict[str, Dataset[Any]] = field(default_factory=dict)
    augment: Callable[[Any], Any] | None = None
    split: Split | None = None
    maps: TeacherMaps | None = None

    def check(self) -> None:
        """Decode everything once, so that a broken file shows before training and not hours into it.

        Raises:
            SegDistillError: If a sample cannot be used, or a test set has no name that a file can have.
        """
        _check_names(self.tests)
        for dataset in (self.train, self.val, *self.tests.values()):
            if isinstance(dataset, Samples):
                dataset.check()


def _check_names(tests: Any) -> None:
    """The scores of a test set go to files that are called like it."""
    if not isinstance(tests, Mapping):
        raise SegDistillError(
            f"tests is of type {type(tests).__name__}. Give the sets by name: tests={{'name': dataset}}."
        )
    for name in tests:
        if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or os.sep in name:
            raise SegDistillError(
                f"The test set {name!r} has a name that no file can have, and its scores go to scores/NAME.csv. "
                f"Give it another."
            )


def digest(parts: Iterable[str | bytes]) -> str:
    """Hash strings and bytes to 32 hexadecimal digits, each part kept apart from the next."""
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        hasher.update(len(raw).to_bytes(8, "little") + raw)
    return hasher.hexdigest()


def in_threads(work: Callable[[int], Result], indices: Iterable[int]) -> list[Result]:
    """Call `work` for every index on all usable cores; reading and decoding release the interpreter lock."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ThreadPoolExecutor(cores) as pool:
        return list(pool.map(work, indices))


def refuse_broken(ids: Sequence[str], read: Callable[[int], object]) -> None:
    """Read every sample and raise one error that counts and names the broken ones."""

    def attempt(index: int) -> SegDistillError | None:
        try:
            read(index)
        except SegDistillError as error:
            return error
        return None

    errors = in_threads(attempt, range(len(ids)))
    broken = [name for name, error in zip(ids, errors, strict=True) if error]
    if broken:
        first = next(error for error in errors if error)
        raise SegDistillError(
            f"{len(broken)} of {len(ids)} samples cannot be used ({named(broken)}); the first: {first}"
        )
