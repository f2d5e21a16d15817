"""Whatever predicts, opened by its path; what trains is loaded for what was trained only."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from segdistill.core import SegDistillError
from segdistill.export import OnnxPredictor, Predictor
from segdistill.export.facts import Facts
from segdistill.export.onnx import is_exported


class Opened(NamedTuple):
    """A network that predicts, a trained one or an exported one.

    Attributes:
        predictor: From an image to a `Prediction`.
        facts: What the network is.
        place: Where it runs, in words.
        note: What had to be assumed about it; empty where it says everything itself.
    """

    predictor: Predictor
    facts: Facts
    place: str
    note: str = ""


def open_predictor(path: str | Path, *, device: str = "cpu") -> Opened:
    """Open a run folder, a checkpoint file of a polyp project, or a file that `segdistill export` wrote.

    Args:
        path: The folder or the file.
        device: Where it is to run, as for `open_trained`; an exported one runs on the processor.

    Raises:
        SegDistillError: If it is none of these, is damaged, or the device is not there.
    """
    if is_exported(path):
        return _exported(Path(path), device)
    from segdistill.engine import open_trained  # and torch, which an exported network does without

    trained = open_trained(path, device=device)
    facts = Facts.of(trained.net, trained.task)
    return Opened(trained.predictor(), facts, trained.place, trained.note)


def _exported(path: Path, device: str) -> Opened:
    if device not in ("auto", "cpu"):
        raise SegDistillError(
            f"{path.name} is an exported network, which runs on the processor, not on {device!r}. Take --device cpu, "
            f"or name the run folder that it was made from."
        )
    predictor = OnnxPredictor(path)
    return Opened(predictor, predictor.facts, "cpu by ONNX Runtime")
