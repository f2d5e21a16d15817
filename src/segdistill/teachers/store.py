"""The files of a cache: a header, and one flat file of half-precision maps per tap."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdistill.core import SegDistillError
from segdistill.teachers.header import NAME, Header

try:
    import fcntl
except ImportError:  # Windows; two processes must not write one cache there
    fcntl = None  # type: ignore[assignment]

Half = NDArray[np.float16]

_PROGRESS, _LOCK = "progress.json", "lock"


class Store:
    """A finished cache, opened for reading; every process maps the files for itself.

    Args:
        folder: The cache.
        taps: Which maps to read; all if not given.

    Attributes:
        header: What the cache says about itself.
        views: Augmented views per sample; 0 is the image as it is.

    Raises:
        SegDistillError: If the folder holds no finished cache.
    """

    def __init__(self, folder: Path, taps: Sequence[str] | None = None) -> None:
        self.folder = folder
        _refuse_unfinished(folder)
        self.header = Header.read(folder)
        self.views = self.header.views
        self.taps = list(self.header.shapes if taps is None else taps)
        self._refuse_damaged()
        self._rows = {name: row for row, name in enumerate(self.header.data)}
        self._maps: dict[str, Half] = {}

    def read(self, name: str, view: int = 0) -> dict[str, Tensor]:
        """Copy one sample's maps out of the files.

        Raises:
            SegDistillError: If the sample is not stored.
        """
        if name not in self._rows:
            raise SegDistillError(
                f"The teacher cache {str(self.folder)!r} has no {name!r}. "
                "Make one for this data with `segdistill cache`."
            )
        row = self._rows[name] * max(self.views, 1) + view
        return {tap: torch.from_numpy(np.array(self._mapped(tap)[row])) for tap in self.taps}

    def __getstate__(self) -> dict[str, Any]:
        """Leave the maps out: each process opens its own."""
        return {**self.__dict__, "_maps": {}}

    def _mapped(self, tap: str) -> Half:
        if tap not in self._maps:
            shape = (self.header.rows, *self.header.shapes[tap])
            self._maps[tap] = np.memmap(file_of(self.folder, tap), dtype=np.float16, mode="r", shape=shape)
        return self._maps[tap]

    def _refuse_damaged(self) -> None:
        for tap in self.header.shapes:
            path = file_of(self.folder, tap)
            expected = self.header.rows * self.header.row_bytes(tap)
            found = path.stat().st_size if path.is_file() else 0
            if found != expected:
                raise SegDistillError(
                    f"The cache file {str(path)!r} has {found} bytes instead of {expected}; "
                    f"delete {str(self.folder)!r}."
                )


class Writer:
    """A cache under way, beside the place where it will be. What a stopped process left is gone on with.

    Args:
        folder: Where the finished cache will be.
        header: Complete, with shapes.

    Attributes:
        done: Rows that are written.

    Raises:
        SegDistillError: If the disk is too small.
    """

    def __init__(self, folder: Path, header: Header) -> None:
        self.folder, self.header = folder, header
        self.part = part_of(folder)
        self.done = _rows_done(self.part, header)
        if not self.done:
            _empty(self.part)
        self._refuse_small_disk()
        (self.part / NAME).write_text(header.as_json(), encoding="utf-8")
        self._files = {tap: self._open(tap) for tap in header.shapes}

    def write(self, maps: Mapping[str, Tensor]) -> None:
        """Append maps `(B, C, *spatial)` by tap."""
        for tap, file in self._files.items():
            file.write(maps[tap].contiguous().numpy().data)
        self.done += len(next(iter(maps.values())))

    def save(self) -> None:
        """Bring what is written to the disk, so that a stopped process can go on from here."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        path = self.part / _PROGRESS
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"rows": self.done}), encoding="utf-8")
        new.replace(path)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def publish(self) -> None:
        """Give the finished cache its name."""
        self.save()
        self.close()
        (self.part / _PROGRESS).unlink()
        self.part.rename(self.folder)
        # Last: who came before the new name waits for this lock, and who comes after it finds the cache.
        (self.folder / _LOCK).unlink(missing_ok=True)

    def _open(self, tap: str) -> BinaryIO:
        path = file_of(self.part, tap)
        path.touch()
        file = path.open("r+b")
        file.truncate(self.done * self.header.row_bytes(tap))
        file.seek(0, os.SEEK_END)
        return file

    def _refuse_small_disk(self) -> None:
        needed = (self.header.rows - self.done) * sum(map(self.header.row_bytes, self.header.shapes))
        free = shutil.disk_usage(self.part).free
        if needed > free:
            raise SegDistillError(
                f"The teacher cache needs {gigabytes(needed)}, but {str(self.folder.parent)!r} has {gigabytes(free)} "
                "free. Take fewer views or taps, stride=4, or another folder."
            )


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Let one process write at a time; the others wait and then find the cache finished."""
    part = part_of(folder)
    try:
        with naming(folder):
            part.mkdir(parents=True, exist_ok=True)
            lock = (part / _LOCK).open("w")
        with lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    finally:
        if folder.is_dir() or not _anything(part):
            shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def naming(folder: Path) -> Iterator[None]:
    """Say which cache it was that could not be written."""
    try:
        yield
    except OSError as error:
        raise SegDistillError(
            f"Cannot write the teacher cache {str(folder)!r}: {error.strerror or error}. Take another folder."
        ) from error


def file_of(folder: Path, tap: str) -> Path:
    """Where the maps of a tap are."""
    return folder / f"{quote(tap, safe='')}.f16"


def part_of(folder: Path) -> Path:
    """Where a cache under way is."""
    return folder.with_name(f"{folder.name}.part")


def gigabytes(count: int) -> str:
    """Bytes as a person says them.

    Examples:
        >>> gigabytes(2_500_000_000), gigabytes(3_000_000)
        ('2.5 GB', '0.003 GB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e9:.2g} GB"


def _rows_done(part: Path, header: Header) -> int:
    """Rows that can be kept of what a stopped process left: none of another teacher, data or layout."""
    try:
        if Header.read(part) != header:
            return 0
        rows = int(json.loads((part / _PROGRESS).read_text(encoding="utf-8"))["rows"])
        whole = all(
            file_of(part, tap).stat().st_size >= rows * header.row_bytes(tap) for tap in header.shapes
        )
    except (SegDistillError, OSError, ValueError, KeyError, TypeError):
        return 0
    return rows if whole and 0 <= rows <= header.rows else 0


def _empty(part: Path) -> None:
    for path in part.iterdir():
        if path.name != _LOCK:
            path.unlink()


def _anything(part: Path) -> bool:
    return part.is_dir() and any(path.name != _LOCK for path in part.iterdir())


def _refuse_unfinished(folder: Path) -> None:
    if folder.is_dir() and not (folder / _PROGRESS).exists() and folder.suffix != ".part":
        return
    part = folder if folder.suffix == ".part" else part_of(folder)
    if not part.is_dir():
        raise SegDistillError(f"There is no teacher cache {str(folder)!r}. Make one with `segdistill cache`.")
    raise SegDistillError(
        f"The teacher cache {str(folder)!r} is half written. Run `segdistill cache` again: it goes on where it stopped."
    )
