"""The cases to look at before a difference is believed: where B loses most against A, and where it is worst."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill import viz
from segdistill.core import SegDistillError, unknown
from segdistill.export.base import Predictor
from segdistill.report.comparison.differences import Case, Difference
from segdistill.report.comparison.names import listed
from segdistill.report.comparison.result import Comparison
from segdistill.report.comparison.sides import Side
from segdistill.report.comparison.sources import Source
from segdistill.report.examples import IGNORED, Example
from segdistill.report.predictions import Samples, load_predictors, predict
from segdistill.report.runs import RunSummary
from segdistill.viz import Color, Image

#: Colours that stand out on tissue and are told apart with any colour vision.
COLORS = {"truth": viz.GREEN, "a": viz.YELLOW, "b": viz.SKY}
_WIDTH = 2  # of outlines, in pixels


def sheet(
    found: Comparison,
    datasets: Mapping[str, Samples],
    *,
    predictors: Mapping[str, Predictor] | None = None,
    height: int = 256,
) -> Image:
    """Draw the worst cases of every test set, by its first measure: image, truth, A and B with outlines.

    Where there are several seeds, the outlines of all of them are drawn; the scores are means over them.

    Args:
        found: The comparison; its runs predict again, with the weights of their best epochs.
        datasets: Test sets by name; those that were not compared are left alone.
        predictors: By the runs' paths, where they cannot be built from their folders.
        height: Of one image, in pixels.

    Returns:
        One image to write as PNG.

    Raises:
        SegDistillError: If a run is no folder, cases are volumes, or the data are others than those scored.
    """
    first = {each.dataset: each for each in reversed(found.differences)}
    wanted = [first[name] for name in dict.fromkeys(d.dataset for d in found.differences) if name in datasets]
    if not wanted:
        raise unknown("test set", listed(list(datasets)), first)
    for each in wanted:
        _check(each, datasets[each.dataset])
    networks = predictors if predictors is not None else _load((*found.sides.a.runs, *found.sides.b.runs))
    rows = [row for each in wanted for row in _rows(found, each, datasets[each.dataset], networks, height)]
    return viz.sheet(rows)


def _check(found: Difference, samples: Samples) -> None:
    if found.unit != "images":
        raise SegDistillError(
            f"{found.dataset} was scored by cases, and a sheet shows images; leave --sheet out."
        )
    absent = sorted({case.id for case in (*found.losses, *found.lowest)} - set(samples.ids))
    if absent:
        raise SegDistillError(
            f"The data of {found.dataset} do not hold {listed(absent)}, which was scored; name those with --data."
        )


def _load(runs: Sequence[Source]) -> dict[str, Predictor]:
    for run in runs:
        if not run.is_folder:
            raise SegDistillError(f"A sheet shows what networks predict, and {run.name} is no run folder.")
    return load_predictors([RunSummary(run.name, "", run.path) for run in runs])


def _rows(
    found: Comparison,
    difference: Difference,
    samples: Samples,
    networks: Mapping[str, Predictor],
    height: int,
) -> Iterator[Image]:
    lost = {case.id for case in difference.losses}
    groups = {
        "B loses most against A": difference.losses,
        "lowest of B" if difference.better == "higher" else "highest of B": [
            case for case in difference.lowest if case.id not in lost
        ],
    }
    for title, cases in groups.items():
        for index, case in enumerate(cases):
            if not index:
                yield _heading(f"{difference.dataset}, {difference.measure}: {title}", 4 * height)
            example = predict(samples, case.id, networks, dataset=difference.dataset)
            yield _row(found, example, case, height)


def _heading(text: str, width: int) -> Image:
    """A line of text; a caption grows with its image, of which nothing is kept."""
    blank: Image = np.full((360, width, 3), 255, np.uint8)
    return viz.panel([blank], [text])[:40]


def _row(found: Comparison, example: Example, case: Case, height: int) -> Image:
    image = _scaled(example.image, height, cv2.INTER_AREA)
    truth = _scaled(_counted(example.truth, example.truth), height, cv2.INTER_NEAREST)
    several = truth.max(initial=0) > 1
    marked = _outlined(image, truth, None if several else COLORS["truth"])
    drawn = [image, marked]
    titles = [example.id, "truth"]
    for key, side, score in (("a", found.sides.a, case.a), ("b", found.sides.b, case.b)):
        picture = image if several else marked
        for mask in _masks(example, side):
            outlines = _scaled(mask, height, cv2.INTER_NEAREST)
            picture = _outlined(picture, outlines, None if several else COLORS[key])
        drawn.append(picture)
        titles.append(f"{key.upper()} {score:.3f}: {side.label}")
    return viz.panel(drawn, titles, height=height)


def _masks(example: Example, side: Side) -> Iterator[NDArray[np.uint8]]:
    for run in side.runs:
        yield _counted(example.predictions[run.name], example.truth)


def _counted(mask: NDArray[np.integer], truth: NDArray[np.integer]) -> NDArray[np.uint8]:
    return np.where(truth == IGNORED, 0, mask).astype(np.uint8)


def _scaled(image: NDArray[np.uint8], height: int, interpolation: int) -> Image:
    size = (max(1, round(image.shape[1] * height / image.shape[0])), height)
    return np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)


def _outlined(image: Image, mask: Image, color: Color | None) -> Image:
    """Outline the foreground in one colour, or every class in its own."""
    if color is not None:
        return viz.contour(image, mask, color=color, thickness=_WIDTH)
    colors = viz.palette(int(mask.max(initial=0)) + 1)
    for label in np.unique(mask[mask > 0]):
        image = viz.contour(image, mask == label, color=tuple(colors[label].tolist()), thickness=_WIDTH)
    return image
