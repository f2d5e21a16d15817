"""Running out of memory, or of samples for batch norm, as a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from segdistill.core import SegDistillError
from segdistill.engine.training import Training


@contextlib.contextmanager
def enough_memory(training: Training) -> Iterator[None]:
    """Turn what torch raises when a batch does not fit into a sentence with something to try.

    Raises:
        SegDistillError: If memory runs out, or a batch is too small for batch norm.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise SegDistillError(
            f"Out of memory at batch_size {training.batch_size} in precision {training.precision!r}. "
            f"{_advice(training)}"
        ) from error
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise SegDistillError(
            f"Batch norm needs more than one value per channel, which batch_size {training.batch_size} over "
            f"{training.devices} devices does not give. Take at least 2 per device."
        ) from error


def _advice(training: Training) -> str:
    tries = []
    if training.batch_size >= 2 * training.devices:
        half = training.batch_size // 2 // training.devices * training.devices
        tries.append(f"batch_size={half} with accumulate={training.accumulate * 2}")
    if training.precision in ("auto", "32"):
        tries.append("precision='bf16'")
    return f"Try {', or '.join([*tries, 'smaller images'])}."


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch or Python says that memory ran out."""
    text = str(error).lower()
    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or "can't allocate memory" in text or "out of memory" in text
