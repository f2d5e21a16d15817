"""The cases to look at before a difference is believed: where B loses most against A, and where it is worst."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from segdistill import viz
from segdistill.core import SegDistillError, unknown
from segdistill.export.base import Predictor
from segdistill.report.comparison.backgrounds import open_backgrounds
from segdistill.report.comparison.differences import Case, Difference
from segdistill.report.comparison.names import listed
from segdistill.report.comparison.pictures import Album, Picture
from segdistill.report.comparison.result import Comparison
from segdistill.report.comparison.views import Mask, load_networks, open_view, predicts
from segdistill.report.predictions import Samples
from segdistill.viz import Color, Image

#: Colours that stand out on tissue and are told apart with any colour vision.
COLORS = {"truth": viz.GREEN, "a": viz.YELLOW, "b": viz.SKY}
_WIDTH = 2  # of outlines, in pixels
_STRIPE = 5  # above a picture, in its colour
_GAP = 8  # around pictures
_READABLE = 600  # pixels, for a line of text


def sheet(
    found: Comparison,
    datasets: Mapping[str, Samples] | None = None,
    *,
    images: Path | None = None,
    predictors: Mapping[str, Predictor] | None = None,
    height: int = 256,
) -> Image:
    """Draw the worst cases of every test set, by its first measure: image, truth, A and B with outlines.

    Networks predict again, with the weights of their best epochs; files that were scored are read again. Where there
    are several seeds, the outlines of all of them are drawn; the scores are means over them. Of a volume one slice is
    shown, with pixels as tall and wide as they are: see `slices.choose_slice`.

    Args:
        found: The comparison.
        datasets: Test sets by name, for networks; those that were not compared are left alone.
        images: A folder of images or volumes, or of folders of them by test set, for files; the `images` beside their
            `masks` if not given. Where there are none, outlines are drawn on black.
        predictors: By the runs' names, where networks cannot be built from their folders.
        height: Of one image, in pixels.

    Returns:
        One image to write as PNG.

    Raises:
        SegDistillError: If files are there no more, or the data are others than those scored.
    """
    first = {each.dataset: each for each in reversed(found.differences)}
    runs, samples = (*found.sides.a.runs, *found.sides.b.runs), datasets or {}
    predicted = {name for name in first for run in runs if predicts(run, name)}
    names = [name for name in reversed(first) if name not in predicted - samples.keys()]
    if not names:
        raise unknown("test set", listed(list(samples)), first)
    for name in predicted & samples.keys():
        _check(first[name], samples[name])
    networks = predictors if predictors is not None else load_networks(runs, names)
    labels = (found.sides.a.label, found.sides.b.label)
    rows: list[Image] = []
    for name in names:
        a, b = (
            [open_view(run, name, samples, networks) for run in side.runs]
            for side in (found.sides.a, found.sides.b)
        )
        album = Album(a, b, open_backgrounds(first[name], runs, images))
        rows += _rows(first[name], album, labels, height)
    return viz.sheet(rows)


def _check(found: Difference, samples: Samples) -> None:
    if found.unit != "images":
        raise SegDistillError(
            f"{found.dataset} was scored by cases, of which networks predict none; compare the JSON of score, or leave "
            "--sheet out."
        )
    absent = sorted({case.id for case in (*found.losses, *found.lowest)} - set(samples.ids))
    if absent:
        raise SegDistillError(
            f"The data of {found.dataset} do not hold {listed(absent)}, which was scored; name those with --data."
        )


def _rows(found: Difference, album: Album, labels: tuple[str, str], height: int) -> Iterator[Image]:
    lost = {case.id for case in found.losses}
    worst = "lowest of B" if found.better == "higher" else "highest of B"
    groups = {
        "B loses most against A": found.losses,
        worst: [case for case in found.lowest if case.id not in lost],
    }
    for title, cases in groups.items():
        for index, case in enumerate(cases):
            picture = album(case.id, lost=case.id in lost)
            row = _row(picture, case, labels, height)
            if not index:
                yield _line(f"{found.dataset}, {found.measure}: {title}", row.shape[1], size=360)
            yield _line(picture.name, row.shape[1], size=height)
            yield row


def _line(text: str, width: int, *, size: int) -> Image:
    """A line of text, as large as the caption of an image of some height, of which nothing is kept."""
    blank: Image = np.full((size, max(width - 2 * _GAP, _READABLE), 3), 255, np.uint8)
    return viz.panel([blank], [text], gap=_GAP)[: -size - _GAP]


def _row(picture: Picture, case: Case, labels: tuple[str, str], height: int) -> Image:
    size = (height, max(1, round(height * picture.pixel * picture.truth.shape[1] / picture.truth.shape[0])))
    image = _background(picture, size)
    colors = {} if picture.several else COLORS
    truth = _marked(image, [picture.truth], colors.get("truth"))
    drawn, titles = [_striped(truth, colors.get("truth"))], ["truth"]
    for key, masks, score, label in zip("ab", (picture.a, picture.b), (case.a, case.b), labels, strict=True):
        below = image if picture.several else truth
        drawn.append(_striped(_marked(below, masks, colors.get(key)), colors.get(key)))
        titles.append(f"{key.upper()} {score:.3f}: {label}")
    if picture.image is not None:
        drawn, titles = [image, *drawn], ["image", *titles]
    return viz.panel(drawn, titles, height=height, gap=_GAP)


def _background(picture: Picture, size: tuple[int, int]) -> Image:
    if picture.image is None:
        return np.zeros((*size, 3), np.uint8)
    shrinks = size[0] < picture.image.shape[0]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture.image, size[::-1], interpolation=way), np.uint8)


def _marked(image: Image, masks: Sequence[Mask], color: Color | None) -> Image:
    """Outline the foreground of masks in one colour, or every class in its own."""
    for mask in masks:
        image = _outlined(image, _sized(mask, image.shape[:2]), color)
    return image


def _sized(mask: Mask, size: tuple[int, ...]) -> Mask:
    """The nearest pixel; any whole number stays what it is."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(size, mask.shape, strict=True)
    )
    sized: Mask = mask[rows][:, columns]
    return sized


def _outlined(image: Image, mask: Mask, color: Color | None) -> Image:
    if color is not None:
        return viz.contour(image, mask, color=color, thickness=_WIDTH)
    colors = viz.palette(int(mask.max(initial=0)) + 1)
    for label in np.unique(mask[mask > 0]):
        image = viz.contour(image, mask == label, color=tuple(colors[label].tolist()), thickness=_WIDTH)
    return image


def _striped(image: Image, color: Color | None) -> Image:
    """The picture below a stripe in the colour of what is new in it, if that has one of its own."""
    if color is None:
        return image
    striped = image.copy()
    striped[:_STRIPE] = color
    return striped
