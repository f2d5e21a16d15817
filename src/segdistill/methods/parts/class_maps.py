"""One map per class, also where a single sigmoid channel stands for two."""

from __future__ import annotations

from torch import Tensor

from segdistill.tasks import Task


def class_logits(task: Task, logits: Tensor) -> Tensor:
    """Logits `(B, C, *spatial)` with a map for every class.

    What relates classes with each other has nothing to relate in a single channel. That channel is therefore
    replaced by the two log-probabilities that it stands for, of the background and of the foreground.
    """
    return logits if logits.shape[1] > 1 else task.log_probs(logits)[:, :, 0]


def class_probabilities(task: Task, logits: Tensor) -> Tensor:
    """Probabilities `(B, C, *spatial)` with a map for every class, the background's too for a single channel."""
    return task.probabilities(logits) if logits.shape[1] > 1 else task.log_probs(logits)[:, :, 0].exp()
