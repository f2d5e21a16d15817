"""Supervised losses, where another code base scales them in its own way."""

from __future__ import annotations

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.losses import CE
from segdistill.tasks import Multiclass


def over_pixels_and_images(case: Case) -> Tensor:
    """Mean over the pixels that count in the whole batch, divided by the images once more; ours is a mean of means."""
    logits, labels = case["logits_s"], case["labels"]
    task = Multiclass(tuple(f"class {n}" for n in range(logits.shape[1])), case.args["ignore_index"])
    counts = task.valid(labels).flatten(1).sum(dim=1)
    mean = (CE().per_image(logits, labels, task) * counts).sum() / counts.sum()
    return mean / len(logits) if case.args["batch_average"] else mean


CASES: dict[str, Compute] = {"task/seed002_ce_batch_average": over_pixels_and_images}
