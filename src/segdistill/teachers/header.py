"""What a cache says about itself, and the sentences for what does not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from segdistill.core import SegDistillError
from segdistill.data.samples import named
from segdistill.taps import LOGITS

FORMAT = 2
NAME = "header.json"
_ITEMSIZE = 2  # bytes of half precision


@dataclass(frozen=True)
class Header:
    """All that decides what is in a cache: two equal headers stand for the same maps.

    Attributes:
        teacher: Hash of the teacher's weights.
        preprocessing: What the teacher does to an image before its first layer, its architecture, and which layers
            the names of taps stand for.
        task: What the logits mean, where it was told.
        data: Hash of the image by sample id; rows lie in this order.
        decoding: How the images were read, for all that may change a pixel, as the data set tells it.
        size: (height, width) the images were brought to; `None` where they were left as they are.
        views: Augmented views per sample; 0 is the image as it is.
        augment: How views were drawn.
        stride: By how much the logits are coarser than the image.
        shapes: `(C, *spatial)` of one map by tap.
        dtype: Number format of the maps.
        format: Version of this layout.
    """

    teacher: str
    preprocessing: Any
    task: Any
    data: dict[str, str]
    decoding: str | None
    size: Sequence[int] | None
    views: int
    augment: str | None
    stride: int
    shapes: Mapping[str, Sequence[int]]
    dtype: str = "float16"
    format: int = FORMAT

    @property
    def rows(self) -> int:
        """Maps per tap."""
        return len(self.data) * max(self.views, 1)

    def row_bytes(self, tap: str) -> int:
        """Bytes of one map."""
        count = _ITEMSIZE
        for n in self.shapes[tap]:
            count *= n
        return count

    @property
    def total_bytes(self) -> int:
        """Bytes of all maps."""
        return self.rows * sum(map(self.row_bytes, self.shapes))

    def with_shapes(self, shapes: Mapping[str, Sequence[int]]) -> Header:
        """The same header with what the first batch showed."""
        return replace(self, shapes={tap: list(shape) for tap, shape in shapes.items()})

    def as_json(self) -> str:
        """As text; equal headers give equal text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def read(cls, folder: Path) -> Header:
        """Read the header of a cache.

        Raises:
            SegDistillError: If it is missing, damaged, or of another version.
        """
        path = folder / NAME
        try:
            content = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise SegDistillError(
                f"{str(folder)!r} is no teacher cache, or a damaged one: its {NAME} cannot be read. "
                "Name another folder."
            ) from error
        if content.get("format") != FORMAT:
            raise SegDistillError(
                f"The teacher cache {str(folder)!r} has format {content.get('format')}, this version reads "
                f"{FORMAT}. Make it anew with `segdistill cache`."
            )
        try:
            header = cls(**content)
            header.total_bytes  # noqa: B018  # what says how the files are read
        except (TypeError, AttributeError) as error:
            raise SegDistillError(f"The header of {str(folder)!r} is damaged; delete the folder.") from error
        return header

    def difference(self, wanted: Header) -> str | None:
        """Say what differs from what is wanted, beside the taps; `None` where nothing does."""
        for name, what in _ENTRIES.items():
            if found := contrast(getattr(self, name), getattr(wanted, name)):
                return f"is of {what} ({found})"
        return data_difference(self.data, wanted.data) or data_difference(wanted.data, self.data, more=True)

    def lacks(self, taps: Sequence[str]) -> list[str]:
        """Which taps are not stored."""
        return [tap for tap in dict.fromkeys(taps) if tap != LOGITS and tap not in self.shapes]


_ENTRIES = {
    "teacher": "another teacher",
    "preprocessing": "another preprocessing or architecture",
    "task": "another task",
    "decoding": "images read in another way",
    "size": "another image size",
    "views": "another number of views",
    "augment": "another augmentation",
    "stride": "another stride",
    "dtype": "another number format",
}


def data_difference(
    stored: Mapping[str, str], wanted: Mapping[str, str], *, more: bool = False
) -> str | None:
    """Say which samples are missing or have changed; `None` where all that is wanted is stored.

    Args:
        stored: Content hash by id, in the cache.
        wanted: Content hash by id, of the data.
        more: The other way round: the first argument is the data.
    """
    missing = [name for name in wanted if name not in stored]
    if missing:
        return f"has {named(missing)}, which the data lacks" if more else f"has no {named(missing)}"
    changed = [name for name, content in wanted.items() if stored[name] != content]
    return f"was made before {named(changed)} changed" if changed else None


def contrast(stored: Any, wanted: Any) -> str | None:
    """Say how two entries of headers differ, of two mappings only what does; `None` where nothing does."""
    if _plain(stored) == _plain(wanted):
        return None
    if isinstance(stored, Mapping) and isinstance(wanted, Mapping):
        names = [name for name in {**stored, **wanted} if contrast(stored.get(name), wanted.get(name))]
        stored, wanted = ({name: each.get(name) for name in names} for each in (stored, wanted))
    return f"{_shown(stored)}, not {_shown(wanted)}"


def _plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _shown(value: Any) -> str:
    text = f"{value[:12]}..." if isinstance(value, str) and len(value) == 32 else _plain(value)
    return text.strip('"')
