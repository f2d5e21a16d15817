"""What `evaluate` gives beside scores: frames per second, averages over sets, pictures to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segdistill.data import FolderSet
    from segdistill.engine import Trained
    from segdistill.scoring import Scores
    from segdistill.taps import Tapped

#: What averages over sets are made of: means over images, at a threshold and over thresholds.
MEASURES = {"dice", "iou"}
_MEANS = (MEASURES, {"meanDic", "meanIoU"})


def add_speed(net: Tapped, sets: Mapping[str, FolderSet], scores: Sequence[Scores], *, label: str) -> None:
    """Write frames per second beside the means of every set, and note how they were measured.

    A network with a size of its own is as fast on one set as on the next, so it is timed once.
    """
    from segdistill.data.loading import to_unit
    from segdistill.engine import Speed, speed

    timed: dict[tuple[int, ...], Speed] = {}
    for name, samples in sets.items():
        image = to_unit(samples[0]["image"])
        size = net.size or tuple(image.shape[1:])
        found = timed[size] = timed.get(size) or speed(net, image)
        for each in scores:
            each.sets[name]["fps"] = round(found.fps, 2)
            each.note(f"FPS of {label}: {found.how}.")


def averages(scores: Scores) -> dict[str, dict[str, float | None]]:
    """Dice and IoU over all sets: `per image`, where each image counts once, and `per set`; empty for a single set.

    So it is for protocols whose scores of a set are no means over images.
    """
    means = list(scores.sets.values())
    kind = next((kind for kind in _MEANS if all(each.keys() >= kind for each in means)), None)
    if len(means) < 2 or kind is None:
        return {}
    rows = [row for of_set in scores.per_image.values() for row in of_set]
    over = {"per image": rows, "per set": means}
    return {name: {key: _mean(values, key) for key in sorted(kind)} for name, values in over.items()}


def not_averaged(scores: Scores) -> str:
    """A note on why several sets have no `averages`; empty where they have, and for a single set."""
    if len(scores.sets) < 2 or averages(scores):
        return ""
    return f"No averages over the sets: {scores.protocol} gives neither Dice nor IoU as a mean over images."


def left_out(folder: Path, found: Mapping[str, Path]) -> str:
    """A note on what a reader may look for in vain: folders that are no test set, and absent sets of the benchmark."""
    from segdistill.data.polyp import TESTS

    if folder in found.values():
        return ""
    there = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    benchmark = set(TESTS) if found.keys() & set(TESTS) else set()
    missing = [f"{name} ({_lack(folder / name)})" for name in sorted((there | benchmark) - found.keys())]
    return f"Not scored, and in no average: {', '.join(missing)}." if missing else ""


def _lack(folder: Path) -> str:
    if not folder.is_dir():
        return "not there"
    return next(f"no {part}/" for part in ("images", "masks") if not (folder / part).is_dir())


def _mean(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
    known = [row[key] for row in rows if isinstance(row.get(key), float)]
    return fmean(known) if known else None


def draw(run: Trained, samples: FolderSet, folder: Path) -> None:
    """Write image, truth, prediction and errors of the first images side by side."""
    from segdistill.report.visuals import save_panels

    save_panels(run.predictor(), samples, folder)
