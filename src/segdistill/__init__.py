"""Knowledge distillation for image segmentation.

Names are loaded when they are first used, so that `import segdistill` and the command line start at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Batch": "core",
    "Binary": "tasks",
    "Cached": "teachers",
    "Data": "data",
    "Ensemble": "teachers",
    "Multiclass": "tasks",
    "Multilabel": "tasks",
    "Output": "core",
    "Run": "engine",
    "SegDistillError": "core",
    "Tapped": "taps",
    "Teacher": "teachers",
    "Training": "engine",
    "cache": "teachers",
    "distill": "engine",
    "evaluate": "engine",
    "load": "models",
    "train": "engine",
}
_PACKAGES = ("data", "engine", "losses", "methods", "metrics", "models", "report", "viz")

if TYPE_CHECKING:
    from segdistill import data, engine, losses, methods, metrics, models, report, viz
    from segdistill.core import Batch, Output, SegDistillError
    from segdistill.data import Data
    from segdistill.engine import Run, Training, distill, evaluate, train
    from segdistill.models import load
    from segdistill.taps import Tapped
    from segdistill.tasks import Binary, Multiclass, Multilabel
    from segdistill.teachers import Cached, Ensemble, Teacher, cache

__all__ = [
    "Batch",
    "Binary",
    "Cached",
    "Data",
    "Ensemble",
    "Multiclass",
    "Multilabel",
    "Output",
    "Run",
    "SegDistillError",
    "Tapped",
    "Teacher",
    "Training",
    "cache",
    "data",
    "distill",
    "engine",
    "evaluate",
    "load",
    "losses",
    "methods",
    "metrics",
    "models",
    "report",
    "train",
    "viz",
]


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"segdistill.{name}")
    if name in _HOMES:
        return getattr(import_module(f"segdistill.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'segdistill' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
