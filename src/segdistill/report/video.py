"""Videos in figures and tables: area and steadiness over time, and networks side by side on the same clip."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segdistill.report.page import Network
from segdistill.report.plot import INK, dress, rendered, verbatim
from segdistill.report.style import COLORS, CYCLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Record = Mapping[str, Any]

_LINES = (COLORS["distilled"], COLORS["baseline"], COLORS["teacher"], *CYCLE)


@dataclass(frozen=True)
class Row:
    """One network on one class of one clip.

    Attributes:
        clip: Name of the clip.
        label: Name of the network.
        class_name: Name of the class.
        frames: How many.
        network_fps: Frames per second of the network alone; NaN where unknown, as in all that follows.
        end_to_end_fps: The same with reading and writing.
        device: Where both were measured; empty where unknown.
        found: Share of frames in which the class is found.
        iou: Mean IoU of neighbouring masks.
        compensated: The same after the earlier mask was moved along the optical flow.
        flicker: Share of frames in which the class appears or vanishes for that frame only.
        change: Mean change of area in per cent.
    """

    clip: str
    label: str
    class_name: str
    frames: int
    network_fps: float
    end_to_end_fps: float
    device: str
    found: float
    iou: float
    compensated: float
    flicker: float
    change: float

    @classmethod
    def of(cls, clip: str, label: str, class_name: str, record: Record) -> Row:
        """Pick out of a record what a table shows."""
        speed, found = record["speed"], record["classes"][class_name]
        return cls(
            clip,
            label,
            class_name,
            record["frames"],
            speed["network_fps"],
            speed["end_to_end_fps"],
            speed.get("device") or "",
            _number(found["found"]),
            _number(found["iou"]["mean"]),
            _number(found["iou_compensated"]["mean"]),
            _number(found["flicker"]),
            _number(found["area_change_percent"]),
        )


def rows(networks: Sequence[Network]) -> list[Row]:
    """List what runs have stored about videos, networks on the same clip next to each other."""
    stored = [
        (row.label, clip, record)
        for row in networks
        for run in row.runs
        for clip, record in run.videos.items()
    ]
    # One name with other frames is another clip.
    clips = dict.fromkeys(_identity(clip, record) for _, clip, record in stored)
    return [
        row
        for identity in clips
        for label, clip, record in stored
        if _identity(clip, record) == identity
        for row in of_record(clip, record, label=label)
    ]


def of_record(clip: str, record: Record, *, label: str = "") -> list[Row]:
    """List the classes of one clip."""
    return [Row.of(clip, label, class_name, record) for class_name in record["classes"]]


def _identity(clip: str, record: Record) -> tuple[Any, ...]:
    return (clip, record["frames"], record["height"], record["width"])


def chart(record: Record) -> bytes:
    """Draw a clip as PNG: the area of each class over time, and its IoU with the frame before."""
    return rendered(figure(record), "png", dpi=150)


def figure(record: Record) -> Figure:
    """Draw what `chart` writes."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(9, 5), layout="constrained")
    above, below = drawing.subplots(2, 1, sharex=True)
    _area(above, record)
    _iou(below, record)
    below.set_xlabel("Seconds" if record["fps"] else "Frame", color=INK)
    drawing.suptitle(_title(record), x=0.01, ha="left", fontsize=10.5, color=INK)
    drawing.legend(*below.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return drawing


def _area(axes: Axes, record: Record) -> None:
    whole = record["height"] * record["width"]
    for color, series in zip(_colors(record), record["per_frame"].values(), strict=True):
        axes.plot(_times(record), [100 * area / whole for area in series["area"]], color=color, lw=1.6)
    axes.set_title("Area (% of the frame)", loc="left", fontsize=10, color=INK)
    axes.set_ylim(bottom=0)
    dress(axes)


def _iou(axes: Axes, record: Record) -> None:
    for color, (name, series) in zip(_colors(record), record["per_frame"].items(), strict=True):
        for key, dash, about in (("iou_compensated", "-", "motion compensated"), ("iou", ":", "plain")):
            values = [_number(value) for value in series[key]]
            axes.plot(_times(record), values, dash, color=color, lw=1.6, label=f"{verbatim(name)}, {about}")
    axes.set_title("IoU with the frame before", loc="left", fontsize=10, color=INK)
    axes.set_ylim(-0.03, 1.03)
    dress(axes)


def _title(record: Record) -> str:
    rate = f"{record['fps']:g} frames per second" if record["fps"] else "frame rate unknown"
    return verbatim(f"{record['file']}: {record['frames']} frames, {rate}")


def _times(record: Record) -> list[float]:
    return [index / (record["fps"] or 1) for index in range(record["frames"])]


def _colors(record: Record) -> list[str]:
    return [_LINES[index % len(_LINES)] for index in range(len(record["per_frame"]))]


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
