"""A temporary folder that forgets: what is older than an hour is removed, and all of it at the end."""

from __future__ import annotations

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

    def folder(self) -> Path:
        """Make a new, empty folder that nobody else uses."""
        return Path(tempfile.mkdtemp(dir=self.root / "results"))

    def sweep(self) -> None:
        """Remove folders that nothing was written to for too long, and what is left of uploads that broke off."""
        oldest = time.time() - self.age
        for path in (self.root / "results").iterdir():
            if _last_written(path) < oldest:
                shutil.rmtree(path, ignore_errors=True)
        for path in self.uploads.glob("*"):
            if path.is_file() and _last_written(path) < oldest:  # gradio removes those that are whole
                path.unlink(missing_ok=True)

    def sweep_always(self, *, every: float = 60) -> None:
        """Sweep in the background for as long as the program runs."""

        def forever() -> None:
            while self.root.exists():
                time.sleep(every)
                self.sweep()

        threading.Thread(target=forever, name="sweep", daemon=True).start()

    def close(self) -> None:
        """Remove everything."""
        self._folder.cleanup()


def _last_written(path: Path) -> float:
    """When a file, or any in a folder, was last written to: long work may take longer than results are kept."""
    inside = path.iterdir() if path.is_dir() else ()
    return max(os.lstat(each).st_mtime for each in (path, *inside))
