"""A network with its preprocessing as an ONNX graph."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdistill.core import SegDistillError, first_line
from segdistill.taps import Tapped

if TYPE_CHECKING:
    from onnx import ModelProto

INPUT, OUTPUT = "image", "logits"


def to_graph(tapped: Tapped, example: Tensor) -> ModelProto:
    """Trace a network; height and width of the image stay open.

    Args:
        tapped: The network, which stays as it is.
        example: An image `(1, 3, H, W)` that it can segment.

    Raises:
        SegDistillError: If PyTorch's exporter cannot.
    """
    any_size = torch.export.Dim.DYNAMIC
    try:
        with _quiet(), torch.inference_mode():
            program: Any = torch.onnx.export(
                _Whole(tapped),
                (example,),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes={"image": {2: any_size, 3: any_size}},
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # whatever its many stages and the network's own code raise
        raise SegDistillError(
            f"PyTorch cannot export this {type(tapped.net).__name__} to ONNX: {_reason(error)}."
        ) from error
    return program.model_proto


class _Whole(nn.Module):
    """What `Tapped` does with an image, without the shortcuts at equal sizes, which would tie a graph to one size.

    The logits are resized here, too: it makes the file complete, and costs 0.3 of 17 ms at 512 x 450 pixels.
    """

    def __init__(self, tapped: Tapped) -> None:
        super().__init__()
        self.tapped = copy.deepcopy(tapped).cpu().float().eval()

    def forward(self, image: Tensor) -> Tensor:
        tapped = self.tapped
        x = image if tapped.size is None else _resize(image, tapped.size, antialias=True)
        x = (x - tapped.mean.view(1, -1, 1, 1)) / tapped.std.view(1, -1, 1, 1)
        return _resize(tapped.to_logits(tapped.net(x)), image.shape[2:])


def _resize(x: Tensor, size: Sequence[int], *, antialias: bool = False) -> Tensor:
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False, antialias=antialias)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter about itself, in warnings, logs and whole graphs: a check of its result follows."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _reason(error: BaseException) -> str:
    """What the first cause says: the exporter wraps it in advice about itself."""
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(error)
