"""Several results that belong together: written aside, moved into place when all are there."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from segdistill.core import SegDistillError
from segdistill.export.files import reason, sync


@contextlib.contextmanager
def staged(out: Path, name: str) -> Iterator[Path]:
    """Lend a hidden folder beside the results; whatever is still in it at the end is removed.

    Args:
        out: Folder of the results.
        name: What is being written, for messages.

    Raises:
        SegDistillError: In place of an `OSError`, such as a full disk.
    """
    stage = out / f".{name}.{os.getpid()}.tmp"
    try:
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        yield stage
    except OSError as error:
        raise SegDistillError(f"Cannot write {out / name}: {reason(error)}.") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def publish(stage: Path, out: Path) -> None:
    """Sync what a stage holds to the disk and move it, in the order of names, to where it belongs.

    A folder that is replaced is moved into the stage, and vanishes with it.
    """
    for path in stage.rglob("*"):
        if path.is_file():
            sync(path)
    for path in sorted(stage.iterdir()):
        target = out / path.name
        if target.is_dir():
            target.replace(stage / f".{path.name}.old")
        path.replace(target)
