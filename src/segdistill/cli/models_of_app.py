"""The networks that the app offers, each with a line about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segdistill.app import Model
from segdistill.app.examples import SIZE
from segdistill.cli.output import say
from segdistill.core import SegDistillError
from segdistill.engine import Run, Trained, open_trained

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
        SegDistillError: If one is neither a run nor a checkpoint, or is named twice, or the device is not there.
    """
    if len(set(paths)) < len(paths):
        raise SegDistillError(f"{next(p for p in paths if paths.count(p) > 1)} is named twice: name it once.")
    names = [path.name for path in paths]
    return [_model(path, path.name if names.count(path.name) == 1 else str(path), device) for path in paths]


def drawn_size(path: Path) -> tuple[int, int]:
    """Height and width of example images: those of the run's own data, if they were drawn, too."""
    data = Run.load(path).config.get("data") if (path / "config.yaml").is_file() else None
    options = data.get("synthetic") if isinstance(data, dict) else None
    height, width = (options or {}).get("size") or SIZE
    return int(height), int(width)


def _model(path: Path, name: str, device: str) -> Model:
    trained = open_trained(path, device=device)
    if trained.note:
        say(trained.note)
    return Model(name, trained.predictor(), about(path, trained))


def about(path: Path, trained: Trained) -> str:
    """What a network is, how large, at which size it looks, where, and what it scores by which protocol."""
    count = sum(parameter.numel() for parameter in trained.net.parameters())
    size = " x ".join(map(str, trained.net.size)) + " pixels" if trained.net.size else "any size"
    parts = [
        _network(trained),
        f"{count / 1e6:.2f} M parameters",
        size,
        f"on {trained.place}",
        *_scores(path),
    ]
    return " \u00b7 ".join(parts)


def _network(trained: Trained) -> str:
    spec = (trained.net.spec or {}).get("spec")
    if not isinstance(spec, dict):
        return str(spec or type(trained.net.net).__name__)
    name, options = next(iter(spec.items()))
    inside = next((str(v) for key, v in (options or {}).items() if key in ("encoder_name", "backbone")), "")
    return f"{name} on {inside}" if inside else name


def _scores(path: Path) -> list[str]:
    tests: dict[str, Any] = Run.load(path).metrics.get("tests", {}) if _is_finished(path) else {}
    tests = {name: scores for name, scores in tests.items() if "dice" in scores}
    protocols = {scores.get("protocol", "dice@0.5") for scores in tests.values()}
    found = ", ".join(f"{name} {scores['dice']:.3f}" for name, scores in tests.items())
    return [f"Dice ({', '.join(sorted(protocols))}): {found}"] if found else []


def _is_finished(path: Path) -> bool:
    return (path / "config.yaml").is_file() and Run.load(path).is_finished
