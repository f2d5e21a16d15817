"""Zip files of strangers: nothing leaves the folder, nothing fills the disk."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from segdistill.app.intake import check_kept
from segdistill.core import SegDistillError

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


def is_zip(path: str | Path) -> bool:
    """Whether a file says by its name that it is an archive."""
    return Path(path).suffix.lower() == ".zip"


def members(path: str | Path) -> dict[str, int]:
    """List the files of a zip with their bytes, after checking all; hidden ones of operating systems are left out.

    Raises:
        SegDistillError: If it is no zip, empty, encrypted, or holds a name twice or a path that leads out of the
            folder.
    """
    name = Path(path).name
    with _opened(path, name) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    for entry in entries:
        _check(entry, name)
    entries = [entry for entry in entries if not _is_hidden(entry.filename)]
    if not entries:
        raise SegDistillError(f"{name!r} is empty: put the images into it.")
    sizes = {entry.filename: entry.file_size for entry in entries}
    if len(sizes) < len(entries):
        twice = next(
            each for each, count in Counter(entry.filename for entry in entries).items() if count > 1
        )
        raise SegDistillError(
            f"{name!r} holds {twice[:80]!r} more than once: pack it anew, with each name once."
        )
    return sizes


@contextmanager
def unpacked(path: str | Path, member: str, folder: Path) -> Iterator[Path]:
    """Lend one file of a zip; it is removed afterwards, so that an archive is never on the disk as a whole.

    Args:
        path: The zip.
        member: One of `members`.
        folder: Where to put it; the name in the archive plays no part in its own.

    Raises:
        SegDistillError: If it is damaged, or gone.
    """
    target = folder / f"member{PurePosixPath(member).suffix.lower()[:8]}"
    try:
        try:
            # zipfile stops at the size that the header promises, which `members` has checked.
            with zipfile.ZipFile(path) as archive, archive.open(member) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
        except _BROKEN:
            check_kept(path)
            raise SegDistillError(f"{member!r} is damaged in its zip: pack it anew.") from None
        yield target
    finally:
        target.unlink(missing_ok=True)


@contextmanager
def _opened(path: str | Path, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN:
        raise SegDistillError(f"{name!r} is no zip file, or a damaged one: pack it anew.") from None
    with archive:
        yield archive


def _check(entry: zipfile.ZipInfo, name: str) -> None:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    drive = len(path.parts[0]) > 1 and path.parts[0][1] == ":" if path.parts else True
    if path.is_absolute() or ".." in path.parts or drive or stat.S_ISLNK(entry.external_attr >> 16):
        raise SegDistillError(
            f"{name!r} holds {entry.filename[:80]!r}, which leads out of its folder: nothing of it was read."
        )
    if entry.flag_bits & 1:
        raise SegDistillError(f"{name!r} is encrypted: pack it without a password.")


def _is_hidden(member: str) -> bool:
    parts = PurePosixPath(member).parts
    return parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts)
