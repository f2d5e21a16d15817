"""A temporary folder that forgets: what is older than an hour is removed, and all of it at the end."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

#: Seconds that an upload or a result is kept.
HOUR = 3600


class Scratch:
    """Folders for files that a user is sent.

    Args:
        age: Seconds that a folder is kept.

    Attributes:
        root: All of it.
        uploads: What users send.
    """

    def __init__(self, *, age: float = HOUR) -> None:
        self.age = age
        self._folder = tempfile.TemporaryDirectory(prefix="segdistill-app-", ignore_cleanup_errors=True)
        self.root = Path(self._folder.name)
        self.uploads = self.root / "uploads"
        (self.root / "results").mkdir()
        self._closed = threading.Event()

    def folder(self) -> Path:
        """Make a new, empty folder that nobody else uses."""
        return Path(tempfile.mkdtemp(dir=self.root / "results"))

    def sweep(self) -> None:
        """Remove folders that nothing was written to for too long, and what is left of uploads that broke off."""
        oldest = time.time() - self.age
        for path in _entries(self.root / "results"):
            if _last_written(path) < oldest:
                shutil.rmtree(path, ignore_errors=True)
        for path in _entries(self.uploads):
            if path.is_file() and _last_written(path) < oldest:  # gradio removes those that are whole
                path.unlink(missing_ok=True)

    def sweep_always(self, *, every: float = 60) -> None:
        """Sweep in the background until the end."""

        def until_closed() -> None:
            while not self._closed.wait(every):
                self.sweep()

        threading.Thread(target=until_closed, name="sweep", daemon=True).start()

    def close(self) -> None:
        """Remove everything."""
        self._closed.set()
        self._folder.cleanup()


def _last_written(path: Path) -> float:
    """When a file, or any in a folder, was last written to: long work may take longer than results are kept."""
    return max(map(_written, (path, *_entries(path))))


# While the sweeper looks, a batch deletes what it unpacked and gradio moves uploads: what is gone is not there.


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _written(path: Path) -> float:
    try:
        return os.lstat(path).st_mtime
    except FileNotFoundError:
        return -math.inf
