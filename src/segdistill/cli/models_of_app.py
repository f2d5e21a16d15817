"""The networks that the app offers, each with a line about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdistill.app import Model
from segdistill.app.examples import SIZE
from segdistill.cli.opened import Opened, open_predictor
from segdistill.cli.output import say
from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from segdistill.engine import Run

DEMO = Path("runs/demo")


def demo() -> list[Path]:
    """The student of the demo, and its teacher to compare it with.

    Raises:
        SegDistillError: If the demo has not run here.
    """
    student, teacher = DEMO / "distilled", DEMO / "teacher"
    if not _is_finished(student):
        raise SegDistillError(
            f"There is no network to show: name a run folder or a checkpoint, or make {student} with "
            f"`segdistill demo` (a few minutes, no data needed)."
        )
    return [student, *([teacher] if _is_finished(teacher) else [])]


def load(paths: Sequence[Path], device: str) -> list[Model]:
    """Open networks on a device; two folders of one name are told apart by their whole path.

    Raises:
        SegDistillError: If one is neither a run nor a checkpoint nor an exported network, or is named twice, or the
            device is not there.
    """
    if len(set(paths)) < len(paths):
        raise SegDistillError(f"{next(p for p in paths if paths.count(p) > 1)} is named twice: name it once.")
    names = [path.name for path in paths]
    return [_model(path, path.name if names.count(path.name) == 1 else str(path), device) for path in paths]


def drawn_size(path: Path) -> tuple[int, int]:
    """Height and width of example images: those of the run's own data, if they were drawn, too."""
    run = _run(path)
    data = run.config.get("data") if run else None
    options = data.get("synthetic") if isinstance(data, dict) else None
    height, width = (options or {}).get("size") or SIZE
    return int(height), int(width)


def _model(path: Path, name: str, device: str) -> Model:
    opened = open_predictor(path, device=device)
    if opened.note:
        say(opened.note)
    return Model(name, opened.predictor, about(path, opened))


def about(path: Path, opened: Opened) -> str:
    """What a network is, how large, at which size it looks, where, and what it scores by which protocol."""
    facts = opened.facts
    parts = [
        facts.network,
        f"{facts.parameters / 1e6:.2f} M parameters",
        " x ".join(map(str, facts.size)) + " pixels" if facts.size else "any size",
        f"on {opened.place}",
        *_scores(path),
    ]
    return " \u00b7 ".join(parts)


def _scores(path: Path) -> list[str]:
    run = _run(path)
    tests: dict[str, Any] = run.metrics.get("tests", {}) if run and run.is_finished else {}
    tests = {name: scores for name, scores in tests.items() if "dice" in scores}
    protocols = {scores.get("protocol", "dice@0.5") for scores in tests.values()}
    found = ", ".join(f"{name} {scores['dice']:.3f}" for name, scores in tests.items())
    return [f"Dice ({', '.join(sorted(protocols))}): {found}"] if found else []


def _is_finished(path: Path) -> bool:
    run = _run(path)
    return run is not None and run.is_finished


def _run(path: Path) -> Run | None:
    """The run of a folder; None of a file, for which torch need not be loaded."""
    if not (path / "config.yaml").is_file():
        return None
    from segdistill.engine import Run

    return Run.load(path)
