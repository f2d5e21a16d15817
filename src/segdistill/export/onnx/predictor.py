"""Prediction by ONNX Runtime: an exported network behind the same call as one of PyTorch. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError, first_line
from segdistill.export.base import Prediction, cannot_segment
from segdistill.export.facts import Facts
from segdistill.export.finite import check_finite
from segdistill.export.onnx.decoding import decode
from segdistill.export.onnx.packages import check_installed
from segdistill.images.pixels import rgb

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SUFFIX = ".onnx"
#: Where the facts stand in a file's metadata.
KEY = "segdistill"
_START = b"\x08"  # the field that stands first in whatever writes ONNX, the version of the format
_FATAL_ONLY = 4  # anything less is an exception, and said as such


def is_exported(path: str | Path) -> bool:
    """Whether a path is named as an exported network is."""
    return Path(path).suffix.lower() == SUFFIX


class OnnxPredictor:
    """Segment single images with a file that `segdistill export` wrote; runs on the processor.

    Args:
        path: The file.
        threads: How many processor threads to use; `None` for one per core.

    Raises:
        SegDistillError: If onnxruntime is not installed, or the file is missing, damaged, or of somebody else.

    Examples:
        >>> OnnxPredictor("student.onnx", threads=1)(image).mask.shape  # doctest: +SKIP
        (480, 640)
    """

    def __init__(self, path: str | Path, *, threads: int | None = None) -> None:
        check_installed("onnxruntime", purpose="Prediction with an exported network")
        self.path = Path(path)
        self._session = _open(self.path, threads)
        self.facts = _read_facts(self.path, self._session.get_modelmeta().custom_metadata_map)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names by index in the mask."""
        return self.facts.classes

    def __call__(self, image: NDArray[Any]) -> Prediction:
        """Segment one image.

        Args:
            image: `(H, W, 3)` uint8 RGB, or what `rgb` accepts: grey, RGBA, 16 bits.

        Returns:
            Mask and probability at the size of the image.

        Raises:
            SegDistillError: If the array is not an image, the network cannot segment one of its size, or gives
                numbers that are not finite.
        """
        pixels = np.ascontiguousarray(rgb(image).transpose(2, 0, 1)[None])
        logits = self._run(pixels.astype(np.float32) / np.float32(255))
        check_finite(logits, lacks="mask")
        return decode(self.facts.task, logits[0])

    def _run(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            (logits,) = self._session.run(None, {self._session.get_inputs()[0].name: image})
        except Exception as error:  # ONNX Runtime's own, which have no common class
            raise cannot_segment(self.path.name, image.shape[2:], error, says="ONNX Runtime") from error
        found: NDArray[np.float32] = logits
        return found


def _open(path: Path, threads: int | None) -> InferenceSession:
    import onnxruntime

    if not path.is_file():
        raise SegDistillError(f"There is no file {path}. Name what `segdistill export` wrote.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = _FATAL_ONLY
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise _unreadable(path, error) from error


def _read_facts(path: Path, metadata: dict[str, str]) -> Facts:
    if KEY not in metadata:
        raise SegDistillError(
            f"{path.name} was not written by segdistill: it does not say what its logits mean. "
            f"Write it with `segdistill export`."
        )
    try:
        return Facts.from_text(metadata[KEY])
    except ValueError as error:
        raise SegDistillError(
            f"{path.name} is damaged: it says {metadata[KEY]!r:.80} of itself. Copy it again, or export it anew."
        ) from error


def _unreadable(path: Path, error: Exception) -> SegDistillError:
    with path.open("rb") as file:
        is_onnx = file.read(1) in (_START, b"")
    if is_onnx:
        size = path.stat().st_size
        return SegDistillError(
            f"{path.name} ({size} bytes) is damaged, or made for another onnxruntime: copy it again, or export it "
            f"anew. ONNX Runtime says: {first_line(error)}."
        )
    return SegDistillError(f"{path.name} is not an ONNX file. Name what `segdistill export` wrote.")
