"""Whether a finished run is what its command would train today: an older one would pass for it in a table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from segdistill import config
from segdistill.engine import Run
from segdistill.teachers import Teacher

_TOLD = ("name", "about")


def fault(run: Run, wanted: Mapping[str, Any], teacher: Path | None = None) -> str | None:
    """How a run differs from what would be trained now; an option younger than the run had its default.

    Args:
        run: A finished one.
        wanted: The complete configuration.
        teacher: Run folder of the teacher; it may have been trained again since. Runs that do not say from which
            weights they learnt are believed.
    """
    found = config.complete(run.config)
    for key, value in wanted.items():
        if key not in _TOLD and found.get(key) != value:
            return f"trained with another {key}: section than its command says now"
    began = run.env.get("teacher", {}).get("fingerprint")
    if began and teacher is not None and began != fingerprint(teacher):
        return "distilled from a teacher that has been trained again since"
    return None


@cache
def fingerprint(teacher: Path) -> str:
    """Hash of the weights that a teacher's run would give now."""
    return Teacher(Run(teacher).student).fingerprint()
