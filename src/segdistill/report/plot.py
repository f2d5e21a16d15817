"""Curves of training: loss and validation Dice against the epoch, as files or as SVG for the page.

Figures are objects of their own; neither a display nor matplotlib's global state is touched.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdistill.core import SegDistillError
from segdistill.export.files import make_folder, write_bytes
from segdistill.report.history import History
from segdistill.report.style import Stroke, role_of, strokes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PICTURES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".eps", ".ps", ".tif", ".tiff", ".webp")
#: Text and axes, grid lines; a page replaces both by its own.
INK, FAINT = "#24292f", "#d7dbe0"


def save(
    histories: Sequence[History],
    out: str | Path,
    *,
    roles: Sequence[str] | None = None,
    panels: Sequence[str] = ("loss", "val_dice"),
    dpi: int = 300,
) -> tuple[Path, Path]:
    """Draw a comparison and write it twice: PNG for the screen, PDF for the paper.

    Args:
        histories: One per run, in the order of the legend; runs of one label, such as seeds, look alike.
        out: Name of the files, with or without a suffix: `cmp` and `cmp.png` both give `cmp.png` and
            `cmp.pdf`. A folder that exists, or a trailing slash, gives `histories.png` in it.
        roles: `"teacher"`, `"baseline"`, `"distilled"` or `""` per run, which give the colours; guessed from
            the labels by default.
        panels: As in `figure`.
        dpi: Resolution of the PNG.

    Returns:
        The two paths.

    Raises:
        SegDistillError: If there is no run, or the place is not writable.
    """
    drawing = figure(histories, roles=roles, panels=panels)
    png, pdf = names(out)
    make_folder(png.parent)
    write_bytes(png, rendered(drawing, "png", dpi=dpi))
    # Without a date, the same histories give the same bytes.
    write_bytes(pdf, rendered(drawing, "pdf", metadata={"CreationDate": None}))
    return png, pdf


def names(out: str | Path) -> tuple[Path, Path]:
    """Name the two pictures that `save` writes.

    Examples:
        >>> [str(path) for path in names("cmp.pdf")]
        ['cmp.png', 'cmp.pdf']
    """
    path = Path(out)
    if path.is_dir() or str(out).endswith(("/", "\\")):
        path = path / "histories"
    stem = path.with_suffix("") if path.suffix.lower() in _PICTURES else path
    # Added, not replaced: "lr0.001" has no suffix.
    return stem.with_name(stem.name + ".png"), stem.with_name(stem.name + ".pdf")


def figure(
    histories: Sequence[History],
    *,
    roles: Sequence[str] | None = None,
    panels: Sequence[str] = ("loss", "val_dice"),
) -> Figure:
    """Draw curves side by side: training loss and validation Dice, if nothing else is named.

    Args:
        histories: One per run, in the order of the legend.
        roles: As in `save`.
        panels: Columns of the history: `loss`, `val_dice`, `val_iou`.

    Raises:
        SegDistillError: If there is no run.
    """
    from matplotlib.figure import Figure

    lines = _strokes(histories, roles)
    drawing = Figure(figsize=(5 * len(panels), 3.9), layout="constrained")
    row = drawing.subplots(1, len(panels), squeeze=False)[0]
    for axes, letter, column in zip(row, "abc", panels, strict=False):
        title, draw = PANELS[column]
        draw(axes, histories, lines)
        axes.set_title(f"({letter}) {title}" if panels[1:] else title, loc="left", fontsize=10.5, color=INK)
    drawing.legend(
        *row[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=min(2 * len(panels), len(histories)),
        frameon=False,
    )
    return drawing


def svgs(histories: Sequence[History], *, roles: Sequence[str] | None = None) -> list[tuple[str, str]]:
    """Draw the two panels as SVG elements for a page, in the text's colour and font.

    Returns:
        Title and `<svg>` of each. A page may set the colours of lines by the CSS variables `--c-RRGGBB`.
    """
    lines = _strokes(histories, roles)
    return [(PANELS[each][0], _svg(PANELS[each][1], histories, lines)) for each in ("loss", "val_dice")]


def _strokes(histories: Sequence[History], roles: Sequence[str] | None) -> list[Stroke]:
    if not histories:
        raise SegDistillError("There is no run to plot: name at least one run folder.")
    guessed = [role_of(history.label, distilled=history.distilled) for history in histories]
    parts = {h.label: role for h, role in zip(histories, roles or guessed, strict=True)}
    by_label = dict(zip(parts, strokes(list(parts.values())), strict=True))
    return [by_label[history.label] for history in histories]


def _loss(axes: Axes, histories: Sequence[History], lines: Sequence[Stroke]) -> None:
    _curves(axes, histories, lines, "loss", 1)
    if axes.dataLim.y0 >= 0:
        axes.set_ylim(bottom=0)


def _dice(axes: Axes, histories: Sequence[History], lines: Sequence[Stroke]) -> None:
    _score(axes, histories, lines, "val_dice")


def _iou(axes: Axes, histories: Sequence[History], lines: Sequence[Stroke]) -> None:
    _score(axes, histories, lines, "val_iou")


PANELS: dict[str, tuple[str, Callable[..., None]]] = {
    "loss": ("Training loss", _loss),
    "val_dice": ("Validation Dice (%)", _dice),
    "val_iou": ("Validation IoU (%)", _iou),
}


def _score(axes: Axes, histories: Sequence[History], lines: Sequence[Stroke], column: str) -> None:
    _curves(axes, histories, lines, column, 100)
    for history, line in zip(histories, lines, strict=True):
        best = history.best(column)
        axes.plot(best.epoch, 100 * best.value, "o", ms=5, mfc=line.color, mec="none", zorder=3)


def _curves(
    axes: Axes, histories: Sequence[History], lines: Sequence[Stroke], column: str, factor: float
) -> None:
    from matplotlib.ticker import MaxNLocator

    named: set[str] = set()
    for history, line in zip(histories, lines, strict=True):
        points = [
            (e, factor * v)
            for e, v in zip(history.epochs, history.columns.get(column, ()), strict=False)
            if not math.isnan(v)
        ]
        epochs, values = zip(*points, strict=True) if points else ((), ())
        marker = "o" if len(points) == 1 else None  # one epoch alone has no line to draw
        label = "" if history.label in named else verbatim(history.label)
        named.add(history.label)
        axes.plot(epochs, values, color=line.color, ls=line.dash, lw=1.8, marker=marker, ms=5, label=label)
    axes.set_xlabel("Epoch", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    dress(axes)


def dress(axes: Axes) -> None:
    """Give axes the look of all plots: faint horizontal lines, no frame."""
    axes.grid(axis="y", color=FAINT, lw=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=INK, labelsize=9)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(FAINT)


def verbatim(text: str) -> str:
    """A name as it is, for a figure: what stands between dollars would be set as a formula."""
    return text.replace("$", r"\$")


def rendered(drawing: Figure, kind: str, **options: Any) -> bytes:
    """Write a figure as a file of a kind that matplotlib knows."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():  # a letter that the font lacks becomes a box, and there is no other font
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        drawing.savefig(buffer, format=kind, **options)
    return buffer.getvalue()


def as_svg(drawing: Figure, colors: set[str], *, name: str) -> str:
    """Write a figure as an SVG element for a page, in the text's colour and font.

    Args:
        drawing: What to write; it loses its background.
        colors: Colours of lines, which the page may set by the CSS variables `--c-RRGGBB`.
        name: What tells it from the other figures of the page.
    """
    from matplotlib import rc_context

    for patch in (drawing.patch, *(axes.patch for axes in drawing.axes)):
        patch.set_visible(False)
    # Text stays text; the names inside do not change from one writing to the next, nor meet another panel's.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        raw = rendered(drawing, "svg", metadata={"Date": None, "Creator": None}).decode()
    return _themed(raw, colors)


def _svg(draw: Callable[..., None], histories: Sequence[History], lines: Sequence[Stroke]) -> str:
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(5.2, 3.1), layout="constrained")
    axes = drawing.subplots()
    draw(axes, histories, lines)
    axes.set_title("", loc="left")  # the page has a heading of its own
    return as_svg(drawing, {line.color for line in lines}, name=draw.__name__)


def _themed(svg: str, colors: set[str]) -> str:
    element = svg[svg.index("<svg") :]
    # What would leak into the page: its style sheet, and names that no reference needs but every figure has.
    element = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", element, flags=re.DOTALL)
    needed = set(re.findall(r"#([\w.-]+)", element))
    element = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in needed else "", element)
    element = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", element, count=1)
    element = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", element, count=1)
    element = element.replace(INK, "currentColor").replace(FAINT, "var(--line, #d7dbe0)")
    for color in colors:
        code = color.lower()
        element = element.replace(code, f"var(--c-{code[1:]}, {code})")
    return element
