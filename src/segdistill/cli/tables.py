"""Scores on the terminal, each table with the protocol that made its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segdistill.cli.beside import MEASURES, averages
from segdistill.cli.output import say, score, table

if TYPE_CHECKING:
    from segdistill.scoring import Scores


def show(scores: Sequence[Scores]) -> None:
    """Print the scores of files: a table per protocol, and what to know of its numbers."""
    for number, each in enumerate(scores):
        if number:
            say()
        _by_measure(each, title="")
        _sign([each])


def show_runs(runs: Mapping[str, Sequence[Scores]]) -> None:
    """Print the scores of runs: a row per run and set where Dice and IoU say it, else a table per run."""
    for number, of_protocol in enumerate(zip(*runs.values(), strict=True)):
        if number:
            say()
        by_run = dict(zip(runs, of_protocol, strict=True))
        if all(means.keys() >= MEASURES for each in of_protocol for means in each.sets.values()):
            rows = [row for run, each in by_run.items() for row in _of_run(run, each)]
            table(("run", "test set", "images", "Dice", "IoU", "FPS"), rows)
        else:
            for run, each in by_run.items():
                _by_measure(each, title=run, over_sets=_over_sets(each))
        _sign(of_protocol)


def _of_run(run: str, scores: Scores) -> list[tuple[object, ...]]:
    return [
        (run, name, means["images"], score(means["dice"]), score(means["iou"]), means.get("fps", ""))
        for name, means in {**scores.sets, **_over_sets(scores)}.items()
    ]


def _over_sets(scores: Scores) -> dict[str, dict[str, Any]]:
    """Averages by what a table calls them."""
    titles = {"per image": "average per image", "per set": f"average of the {len(scores.sets)} sets"}
    images = sum(means["images"] for means in scores.sets.values())
    return {titles[name]: {"images": images, **means} for name, means in averages(scores).items()}


def _by_measure(
    scores: Scores, *, title: str, over_sets: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """A row per measure and a column per set: there are more measures than a line holds."""
    columns = {name: _measures(means) for name, means in {**scores.sets, **(over_sets or {})}.items()}
    measures = dict.fromkeys(key for column in columns.values() for key in column)
    rows = [(key, *(_cell(column.get(key)) for column in columns.values())) for key in measures]
    table((scores.protocol, *columns), rows, title=title)


def _measures(means: Mapping[str, Any]) -> dict[str, Any]:
    """Scores of the set, the first score of each class, and how many cases a rule for empty masks touched.

    A single class says nothing that the mean over classes does not; everything else stays in the JSON.
    """
    from segdistill.scoring.results import flat

    kept = {key: value for key, value in means.items() if not isinstance(value, Mapping | list)}
    classes = means.get("classes", {})
    for name, scores in classes.items() if len(classes) > 1 else ():
        first = next(iter(scores))
        kept[f"classes.{name}.{first}"] = scores[first]
    affected = flat({"affected": means.get("affected", {})})
    return kept | {name: count for name, count in affected if count}


def _cell(value: Any) -> str:
    return score(value) if value is None or isinstance(value, float) else str(value)


def _sign(scores: Sequence[Scores]) -> None:
    """Say which protocol made the numbers, and its traps, once for all runs."""
    say(f"Scored by {scores[0].protocol}, version {scores[0].version}.")
    for note in dict.fromkeys(note for each in scores for note in each.notes):
        say(f"  note: {note}")
