"""Write a network as one ONNX file, and only one that agrees with PyTorch."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from segdistill.core import SegDistillError, first_line
from segdistill.export import files
from segdistill.export.base import Prediction
from segdistill.export.facts import Facts
from segdistill.export.onnx import parity
from segdistill.export.onnx.graph import to_graph
from segdistill.export.onnx.packages import check_installed
from segdistill.export.onnx.predictor import KEY, SUFFIX, OnnxPredictor, is_exported
from segdistill.export.predictor import TorchPredictor
from segdistill.taps import Tapped
from segdistill.tasks import Task
from segdistill.viz import Image


class Exported(NamedTuple):
    """A network that was exported.

    Attributes:
        path: The file.
        difference: The largest difference of a probability to PyTorch's, on the images that were tried.
        images: How many these were.
    """

    path: Path
    difference: float
    images: int


def export_onnx(tapped: Tapped, task: Task, path: str | Path, *, overwrite: bool = False) -> Exported:
    """Write a network as one ONNX file that needs neither this library nor PyTorch.

    Its input is an image `(1, 3, H, W)` of any size, float32 RGB in [0, 1]; resizing and normalisation are inside. Its
    output is the logits `(1, C, H, W)` at the image's size. Weights become float32. Its metadata hold `Facts` as JSON,
    under `segdistill`. The file appears only if it agrees with PyTorch on images of several sizes.

    Args:
        tapped: The network with its preprocessing; it stays as it is.
        task: What its logits mean.
        path: The file, which ends in `.onnx`.
        overwrite: Replace a file that is there.

    Raises:
        SegDistillError: If a package is missing, the place is taken or not writable, the network cannot be exported, or
            the file disagrees with PyTorch.

    Examples:
        >>> export_onnx(run.student, run.task, "student.onnx").difference  # doctest: +SKIP
        2.3e-06
    """
    check_installed("onnx", "onnxscript", "onnxruntime", purpose="Export to ONNX")
    path = _check_place(Path(path), overwrite=overwrite)
    images = parity.images()
    expected = list(map(TorchPredictor(copy.deepcopy(tapped).float(), task), images))
    content = _content(tapped, task, images[0])
    differences: list[float] = []

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)
        differences.append(_check(temporary, expected, images))

    files.write(path, write)
    return Exported(path, differences[0], len(images))


def _check_place(path: Path, *, overwrite: bool) -> Path:
    if not is_exported(path):
        raise SegDistillError(f"An exported network is known by its ending: name {path}{SUFFIX}.")
    if path.is_file() and not overwrite:
        raise SegDistillError(f"{path} exists: choose another name, or say overwrite.")
    return files.check_place(path)


def _content(tapped: Tapped, task: Task, image: Image) -> bytes:
    example = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    graph = to_graph(tapped, example)
    graph.metadata_props.add(key=KEY, value=Facts.of(tapped, task).to_text())
    return bytes(graph.SerializeToString())


def _check(path: Path, expected: Sequence[Prediction], images: Sequence[Image]) -> float:
    try:
        difference = parity.largest_difference(expected, OnnxPredictor(path), images)
    except SegDistillError as error:  # which names a file that is gone
        raise SegDistillError(
            f"ONNX Runtime cannot run what PyTorch exported, so no file is written: "
            f"{first_line(error.__cause__ or error)}."
        ) from error
    if not difference <= parity.TOLERANCE:
        raise SegDistillError(
            f"The exported network disagrees with PyTorch by {difference:.2g} in probability, where "
            f"{parity.TOLERANCE:g} is allowed, so no file is written. A network that draws random numbers, or decides "
            f"by the size of its image, cannot be exported; for any other, try other versions of onnxscript and "
            f"onnxruntime."
        )
    return difference
