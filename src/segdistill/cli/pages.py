"""The report page, with overlays of test images where the data are still there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from segdistill.report import Example, RunSummary


def write(runs: Mapping[str, str | Path], out: Path) -> Path:
    """Write the report of runs by label; returns where it lies."""
    from segdistill import report

    summaries = report.collect(runs)
    page: Path = report.html.report(summaries, out, examples=examples(summaries))
    return page


def examples(summaries: Sequence[RunSummary]) -> Sequence[Example]:
    """Cases of the test sets with every run's prediction; none where data or networks are not at hand."""
    from segdistill.cli.output import say
    from segdistill.report.predictions import predict_examples

    try:
        return predict_examples(summaries, test_sets(summaries[-1].path))
    except SegDistillError as error:
        say(f"The report shows no images: {error}")
        return []


def test_sets(run: Path) -> dict[str, Any]:
    """The test sets of a run's recipe.

    Raises:
        SegDistillError: If the run does not say where its data lie, or they are there no more.
    """
    from segdistill import config

    recipe = config.read(run)
    if "data" not in recipe:
        raise SegDistillError(f"{run} was not started from a recipe, so its test images are not known.")
    return dict(config.build_data(recipe["data"]).tests)
