"""Whether a network's probabilities mean what they say: table and curves from what a run has stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segdistill.report.page import Network, Spread
from segdistill.report.plot import FAINT, INK, as_svg, dress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: What the curve of either form has on its axes.
_AXES = {
    "foreground": ("Predicted probability of foreground", "Share that is foreground"),
    "top_label": ("Probability of the chosen class", "Share that is right"),
}


@dataclass(frozen=True)
class Curve:
    """A reliability curve; bins without pixels are left out.

    Attributes:
        confidence: Mean probability of each bin.
        frequency: How often it came true.
        share: How many of all pixels lie in it.
    """

    confidence: tuple[float, ...]
    frequency: tuple[float, ...]
    share: tuple[float, ...]


def datasets(rows: Sequence[Network]) -> list[str]:
    """Test sets for which any run has stored its calibration."""
    names = [
        name for row in rows for run in row.runs for name, d in run.details.items() if "calibration" in d
    ]
    return list(dict.fromkeys(names))


def spread(row: Network, dataset: str, measure: str) -> Spread:
    """Sum up a measure of calibration over the seeds of a network."""
    return Spread.of(
        [float(found[measure]) for found in _stored(row, dataset) if found.get(measure) is not None]
    )


def form(rows: Sequence[Network], dataset: str) -> str:
    """Which form of reliability suits a test set: with several classes that of the chosen one."""
    several = any(found.get("brier_form") == "multi-class" for row in rows for found in _stored(row, dataset))
    return "top_label" if several else "foreground"


def reading(rows: Sequence[Network], dataset: str) -> str:
    """Say how to see that a network is too sure."""
    if form(rows, dataset) == "top_label":
        return "A curve below the line is too sure."
    return (
        "A curve flatter than the line is too sure: below it where it predicts foreground, "
        "above it where it predicts background."
    )


def error(rows: Sequence[Network], dataset: str) -> str:
    """The calibration error of the form that is drawn."""
    return "ece" if form(rows, dataset) == "foreground" else "ece_top_label"


def curve(row: Network, dataset: str, kind: str) -> Curve | None:
    """Pool the curve of a network over its seeds; `None` where nothing is stored."""
    sums: dict[float, list[float]] = {}
    for found in _stored(row, dataset):
        for each in found["curves"][kind]:
            if pixels := each["pixels"]:
                total = sums.setdefault(each["low"], [0.0, 0.0, 0.0])
                added = (pixels, pixels * each["confidence"], pixels * each["frequency"])
                sums[each["low"]] = [a + b for a, b in zip(total, added, strict=True)]
    if not sums:
        return None
    bins = [sums[low] for low in sorted(sums)]
    every = sum(n for n, _, _ in bins)
    return Curve(
        tuple(confidence / n for n, confidence, _ in bins),
        tuple(frequency / n for n, _, frequency in bins),
        tuple(n / every for n, _, _ in bins),
    )


def svgs(rows: Sequence[Network]) -> list[tuple[str, str]]:
    """Draw the curves of all networks on every test set.

    Returns:
        Name of the set and `<svg>`.
    """
    colors = {row.stroke.color for row in rows}
    return [(name, as_svg(figure(rows, name), colors, name=f"reliability {name}")) for name in datasets(rows)]


def figure(rows: Sequence[Network], dataset: str) -> Figure:
    """Draw reliability above, and below how many pixels each of its points stands for."""
    from matplotlib.figure import Figure

    kind = form(rows, dataset)
    drawing = Figure(figsize=(5.2, 4.9), layout="constrained")
    above, below = drawing.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
    above.plot([0, 1], [0, 1], color=INK, lw=0.8, ls=(0, (4, 4)), alpha=0.6)
    for row in rows:
        found = curve(row, dataset, kind)
        if found is not None:
            _draw(above, below, found, row)
    _finish(above, below, *_AXES[kind])
    return drawing


def _draw(above: Axes, below: Axes, found: Curve, row: Network) -> None:
    stroke = row.stroke
    above.plot(
        found.confidence,
        found.frequency,
        color=stroke.color,
        ls=stroke.dash,
        lw=1.6,
        marker="o",
        ms=4,
        mec="none",
    )
    below.plot(
        found.confidence,
        [100 * s for s in found.share],
        color=stroke.color,
        ls=stroke.dash,
        lw=1.3,
        marker="o",
        ms=3,
        mec="none",
    )


def _finish(above: Axes, below: Axes, across: str, up: str) -> None:
    for axes in (above, below):
        dress(axes)
        axes.grid(axis="x", color=FAINT, lw=0.7)
    above.set_ylim(-0.02, 1.02)
    above.set_ylabel(up, color=INK)
    below.set_xlim(-0.02, 1.02)
    below.set_yscale("log")
    below.set_ylabel("% of pixels", color=INK)
    below.set_xlabel(across, color=INK)
    below.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    below.set_ylim(top=160)
    below.yaxis.minorticks_off()


def _stored(row: Network, dataset: str) -> list[Mapping[str, Any]]:
    found = [run.details.get(dataset, {}).get("calibration") for run in row.runs]
    return [each for each in found if each]
