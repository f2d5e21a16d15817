"""The `cache:` section: distil from what the teacher said once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdistill.config.build import arguments

if TYPE_CHECKING:
    from segdistill.data import Data
    from segdistill.engine import Training
    from segdistill.methods import Method
    from segdistill.taps import Tapped
    from segdistill.tasks import Task
    from segdistill.teachers import Cached
    from segdistill.teachers.caching import Progress

FOLDER = "teacher-cache"


@dataclass(frozen=True)
class CacheOptions:
    """What `cache:` may hold.

    Args:
        folder: Where caches lie, each in a sub-folder; `teacher-cache` beside the run if not given.
        views: Augmented views per sample; 0 stores each image as it is and moves its maps with it.
        stride: By how much stored logits are coarser than the image.
    """

    folder: str | None = None
    views: int = 0
    stride: int = 1


def build_cached(
    section: Mapping[str, Any],
    teacher: Tapped,
    data: Data,
    method: Method,
    *,
    task: Task,
    training: Training,
    out: Path,
    progress: Progress | None = None,
) -> Cached:
    """The cache of a teacher, made where there is none.

    Args:
        section: The `cache:` of a recipe.
        teacher: The network.
        data: What will be trained on.
        method: Says which features are needed.
        task: What the logits mean.
        training: Says where to compute, and how many images at once.
        out: The run folder, beside which caches lie.
        progress: Called with the maps that are done, and all.
    """
    from segdistill.teachers import find_or_cache

    options = CacheOptions(**arguments(CacheOptions, section, owner="cache"))
    return find_or_cache(
        teacher,
        data,
        Path(options.folder) if options.folder else out.parent / FOLDER,
        taps=method.teacher_taps,
        views=options.views,
        stride=options.stride,
        task=task,
        batch_size=training.batch_size,
        workers=training.workers or 0,
        device=training.accelerator,
        progress=progress,
    )
