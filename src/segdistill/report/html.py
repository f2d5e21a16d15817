"""One self-contained page about several runs: no script, no second file, no outside request."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdistill import __version__
from segdistill.core import SegDistillError
from segdistill.export.files import make_folder, write_bytes
from segdistill.report import page, plot, reliability, sizes, video
from segdistill.report.examples import Example, draw
from segdistill.report.runs import RunSummary

if TYPE_CHECKING:
    from jinja2 import Template

_UNKNOWN = "\N{EN DASH}"


def report(
    summaries: Sequence[RunSummary],
    out: str | Path,
    *,
    examples: Sequence[Example] = (),
    title: str = "Distillation report",
) -> Path:
    """Write the report of several runs.

    Args:
        summaries: From `segdistill.report.collect`, in the order of the tables.
        out: The HTML file; `.html` is added where no suffix is given.
        examples: Cases to look at, grouped by their rank.
        title: Heading of the page.

    Returns:
        Where it was written.

    Raises:
        SegDistillError: If there is no run, or the place is not writable.
    """
    path = Path(out)
    path = path if path.suffix.lower() in (".html", ".htm") else path.with_name(path.name + ".html")
    content = render(summaries, examples=examples, title=title).encode()
    make_folder(path.parent)
    return write_bytes(path, content)


def render(
    summaries: Sequence[RunSummary], *, examples: Sequence[Example] = (), title: str = "Distillation report"
) -> str:
    """Write the page as text.

    Raises:
        SegDistillError: If there is no run.
    """
    if not summaries:
        raise SegDistillError("There is no run to report: name at least one run folder.")
    rows = page.networks(summaries)
    compared = page.comparisons(rows)
    return _template().render(
        title=title,
        version=__version__,
        networks=rows,
        datasets=page.datasets(summaries),
        protocols=page.protocols(summaries),
        comparisons=compared,
        caveats=page.caveats(compared),
        sizes=sizes,
        by_size=sizes.columns(rows),
        reliability=reliability,
        calibrated=reliability.datasets(rows),
        reliability_curves=reliability.svgs(rows),
        videos=video.rows(rows),
        selection=summaries[0].metrics.get("selection"),
        curves=_curves(rows),
        # One term alone has nothing to be compared with.
        terms={row.label: terms for row in rows if len(terms := page.first_terms(row)) > 1},
        has_gmac=any(row.runs[0].gmac is not None for row in rows),
        examples=_grouped(examples),
        colors={row.label: row.stroke.color for row in rows},
        flat=page.flat,
    )


def _curves(rows: Sequence[page.Network]) -> list[tuple[str, str]]:
    logged = [(row.role, run.history) for row in rows for run in row.runs if run.history is not None]
    if not logged:
        return []
    return plot.svgs([history for _, history in logged], roles=[role for role, _ in logged])


def _grouped(examples: Sequence[Example]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for example in examples:
        drawn = {"id": example.id, "dataset": example.dataset, "pictures": draw(example)}
        groups.setdefault(example.rank, []).append(drawn)
    return groups


def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "points": _points, "fixed": _fixed, "quantity": _quantity}
    return environment.get_template("template.html.j2")


def _percent(value: float, digits: int = 1) -> str:
    return _fixed(100 * value, digits)


def _points(value: float) -> str:
    text = f"{100 * value:+.1f}"
    # What rounds to zero has no sign; a true minus sign is as wide as the plus.
    return text[1:] if text[1:] == "0.0" else text.replace("-", "\N{MINUS SIGN}")


def _fixed(value: float | None, digits: int) -> str:
    return _UNKNOWN if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _quantity(value: float | None, unit: str = "") -> str:
    """Write a count with the prefix that keeps it short."""
    if value is None:
        return _UNKNOWN
    scale, prefix = (1e6, "M") if value >= 1e5 else (1e3, "k")
    return f"{value / scale:.{2 if value < 1e8 else 0}f} {prefix}{unit}"
