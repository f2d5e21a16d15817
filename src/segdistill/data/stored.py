"""Decoded images on disk, so that only the first epoch decodes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from segdistill.core import SegDistillError
from segdistill.data.resize import resize_image, resize_mask
from segdistill.data.samples import Samples, digest, in_threads
from segdistill.images.pixels import Pixels

_FORMAT = 2
_CHUNK = 64  # samples decoded at once; bounds the memory of writing


class Stored(Samples):
    """The decoded, and if asked resized, samples of a data set in one flat file per kind, mapped into memory.

    The cache's name is a hash of the sources (file names, sizes, times of change) and of how they are read:
    changed data makes a new cache and never meets an old one. It is written under another name and renamed
    when complete: a half-written one is never used, and of processes that write at once one wins. Delete the
    folder to free the space.

    Args:
        dataset: Where the samples come from.
        folder: Where caches lie, each in a sub-folder.
        size: (height, width) to resize to, images averaged, masks to the nearest; None keeps native sizes.

    Raises:
        SegDistillError: If a sample is broken, or the folder cannot be written or is damaged.
    """

    def __init__(self, dataset: Samples, folder: str | Path, *, size: tuple[int, int] | None = None) -> None:
        self.ids, self.groups, self.sources = dataset.ids, dataset.groups, dataset.sources
        self.classes = dataset.classes
        how = f"Stored({dataset.describe()}, size={size})"
        self._how = dataset.describe() if size is None else how
        key = digest([str(_FORMAT), how, *self.ids, *dataset.stamps()])
        self.path = Path(folder) / key
        if not self.path.is_dir():
            _write(dataset, self.path, size)
        index = _read_index(self.path)
        self._hashes: dict[str, str] = index["hashes"]
        self._shapes: list[tuple[int, int]] = [(rows, columns) for rows, columns in index["shapes"]]
        areas = [rows * columns for rows, columns in self._shapes]
        self._starts = [0, *np.cumsum(areas).tolist()]
        self._refuse_damaged()
        self._maps: tuple[Pixels, Pixels] | None = None

    def arrays(self, index: int) -> tuple[Pixels, Pixels]:
        """Copy one sample out of the map."""
        images, masks = self._mapped()
        index = range(len(self))[index]  # counts from the end as lists do, and ends as they do
        rows, columns = self._shapes[index]
        start, end = self._starts[index], self._starts[index + 1]
        image = np.array(images[3 * start : 3 * end]).reshape(rows, columns, 3)
        return image, np.array(masks[start:end]).reshape(rows, columns)

    def hashes(self) -> dict[str, str]:
        """Return the content hashes of the sources."""
        return self._hashes

    def sizes(self) -> list[tuple[int, ...]]:
        """Return the sizes as stored."""
        return list(self._shapes)

    def describe(self) -> str:
        """Name how the samples were decoded, and resized if they were."""
        return self._how

    def check(self) -> None:
        """Nothing to do: every sample was decoded when the cache was written."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave the map out: each process opens its own."""
        return {**self.__dict__, "_maps": None}

    def _mapped(self) -> tuple[Pixels, Pixels]:
        if self._maps is None:
            self._maps = _map(self.path / "images.u8"), _map(self.path / "masks.u8")
        return self._maps

    def _refuse_damaged(self) -> None:
        pixels = self._starts[-1]
        for name, expected in (("images.u8", 3 * pixels), ("masks.u8", pixels)):
            file = self.path / name
            found = file.stat().st_size if file.is_file() else 0
            if found != expected:
                raise SegDistillError(
                    f"The cache file {str(file)!r} has {found} bytes instead of {expected}; "
                    f"delete {str(self.path)!r}."
                )


def stored(dataset: Samples, cache: str | Path | None, *, size: tuple[int, int] | None = None) -> Samples:
    """Store a data set if there is a folder for it."""
    return dataset if cache is None else Stored(dataset, cache, size=size)


def _map(path: Path) -> Pixels:
    return np.memmap(path, dtype=np.uint8, mode="r")


def _read_index(path: Path) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads((path / "index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SegDistillError(f"The cache {str(path)!r} has no readable index; delete it.") from error
    return index


def _write(dataset: Samples, path: Path, size: tuple[int, int] | None) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True, exist_ok=True)
        _fill(part, dataset, size)
        _publish(part, path)
    except OSError as error:
        raise SegDistillError(
            f"Cannot store decoded images in {str(path.parent)!r}: {error.strerror or error}; "
            "choose another cache folder or none."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _publish(part: Path, path: Path) -> None:
    """Rename the finished folder; where another process was faster, its copy is as good."""
    try:
        part.rename(path)
    except OSError:
        if not path.is_dir():
            raise


def _fill(part: Path, dataset: Samples, size: tuple[int, int] | None) -> None:
    shapes = []
    with (part / "images.u8").open("wb") as images, (part / "masks.u8").open("wb") as masks:
        for image, mask in _decoded(dataset, size):
            images.write(image.data)
            masks.write(mask.data)
            shapes.append(mask.shape)
        _sync(images)
        _sync(masks)
    with (part / "index.json").open("wb") as index:
        content = {"ids": dataset.ids, "shapes": shapes, "hashes": dataset.hashes()}
        index.write(json.dumps(content).encode())
        _sync(index)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _decoded(dataset: Samples, size: tuple[int, int] | None) -> Iterator[tuple[Pixels, Pixels]]:
    def read(index: int) -> tuple[Pixels, Pixels]:
        image, mask = dataset.arrays(index)
        if size is not None:
            image, mask = resize_image(image, size), resize_mask(mask, size)
        return np.ascontiguousarray(image), np.ascontiguousarray(mask)

    for start in range(0, len(dataset), _CHUNK):
        try:
            chunk = in_threads(read, range(start, min(start + _CHUNK, len(dataset))))
        except SegDistillError:
            dataset.check()  # one broken sample stops the chunk; this one counts and names them all
            raise
        yield from chunk
