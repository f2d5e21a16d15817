"""Masks whose pixels are shares of foreground, as bilinear resizing makes them: who can read them, and who cannot."""

from __future__ import annotations

from segdistill.core import Batch, SegDistillError
from segdistill.engine import hooks
from segdistill.engine.job import Job
from segdistill.engine.scales import check_shares
from segdistill.tasks import Binary
from segdistill.teachers import Cached


def check_fractions(job: Job, batch: Batch) -> None:
    """Refuse a training whose masks hold shares where something would take them for labels.

    Args:
        job: What was asked for.
        batch: One that is augmented.

    Raises:
        SegDistillError: If the task, the loss or a method reads labels, a stored teacher would have to answer at
            every scale, or a mask of the batch has pixels to ignore.
    """
    released = job.training.rescale == "as_released"
    if released and isinstance(job.teacher, Cached):
        raise SegDistillError(
            "rescale 'as_released' asks the teacher at every scale, but a cached one answers at one. "
            "Take rescale 'smooth', or no cache."
        )
    if not (released or batch.mask.is_floating_point()):
        return
    trainable = job.trainable
    if not isinstance(trainable.task, Binary):
        raise _refused(f"{type(trainable.task).__name__} has none between two labels")
    if not trainable.loss.fractions:
        raise _refused(f"the loss {type(trainable.loss).__name__} is not defined on them")
    for part in hooks.parts(trainable.method):
        if part.traits.labels:
            raise _refused(f"{type(part).__name__} reads labels")
    check_shares(batch)


def _refused(reason: str) -> SegDistillError:
    return SegDistillError(
        f"Masks resized bilinearly, as in the polyp releases, hold shares from 0 to 1, and {reason}. "
        f"Take rescale 'smooth' and augment 'standard'."
    )
