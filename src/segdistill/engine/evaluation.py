"""Score a network on a data set, every image at its own resolution."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from segdistill.core import SegDistillError
from segdistill.data.loading import to_unit
from segdistill.metrics import Overlap
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Task


def evaluate(
    model: Tapped | nn.Module,
    dataset: Dataset[Any],
    *,
    task: Task | None = None,
    batch_size: int = 8,
    context: AbstractContextManager[Any] | None = None,
    shard: tuple[int, int] = (0, 1),
) -> Overlap:
    """Score a network: Dice and IoU of the decoded mask per image, at the image's own resolution.

    Args:
        model: The network; it is left as it was found.
        dataset: Samples at native size.
        task: What the labels mean; `Binary()` if not given.
        batch_size: Images per forward pass.
        context: Of the forward passes, such as autocast.
        shard: This process's number and how many share the work.

    Returns:
        The filled metric: `.compute()` gives the averages, `.rows` the images.

    Raises:
        SegDistillError: If there is nothing to score.
    """
    task, tapped = task or Binary(), model if isinstance(model, Tapped) else Tapped(model)
    count = len(dataset)  # type: ignore[arg-type]
    if not count:
        raise SegDistillError("There are no images to evaluate. Name a data set that has some.")
    metric = Overlap(task)
    device = tapped.mean.device
    with _evaluating(tapped), torch.inference_mode(), context or contextlib.nullcontext():
        ours = range(shard[0], count, shard[1])
        for start in range(0, len(ours), batch_size):
            samples = [dataset[index] for index in ours[start : start + batch_size]]
            images = [to_unit(sample["image"].as_subclass(Tensor).to(device)) for sample in samples]
            logits = tapped.each(images)
            for sample, one in zip(samples, logits, strict=True):
                predicted = task.decode(one.float())[0]
                metric.update([predicted.cpu().numpy()], [sample["mask"].numpy()], [sample["id"]])
    return metric


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    was_training = {name: module.training for name, module in model.named_modules()}
    model.eval()
    try:
        yield
    finally:
        for name, module in model.named_modules():
            module.training = was_training[name]
