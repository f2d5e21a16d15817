"""Score a network on a data set, every image at its own resolution."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset

from segdistill.core import SegDistillError
from segdistill.data.loading import to_unit
from segdistill.data.reading import read_sample
from segdistill.export.finite import check_finite
from segdistill.metrics import DICE_AT_HALF, Calibration, Metric, Overlap, Protocol
from segdistill.taps import Tapped, resize
from segdistill.tasks import Binary, Multilabel, Task

See = Callable[[str, NDArray[Any]], None]


def evaluate(
    model: Tapped | nn.Module,
    dataset: Dataset[Any],
    *,
    task: Task | None = None,
    batch_size: int = 8,
    context: AbstractContextManager[Any] | None = None,
    shard: tuple[int, int] = (0, 1),
    calibration: Calibration | None = None,
) -> Overlap:
    """Score a network by `dice@0.5`: overlap of the decoded mask per image, at the image's own resolution.

    Args:
        model: The network; it is left as it was found.
        dataset: Samples at native size.
        task: What the labels mean; `Binary()` if not given.
        batch_size: Images per forward pass.
        context: Of the forward passes, such as autocast.
        shard: This process's number and how many share the work.
        calibration: Takes in the probabilities.

    Returns:
        The filled metric: `.compute()` gives the averages, `.rows` the images.

    Raises:
        SegDistillError: If there is nothing to score, or the network gives numbers that are not finite.
    """
    return cast(
        Overlap,
        evaluate_by(
            model,
            dataset,
            (DICE_AT_HALF,),
            task=task,
            batch_size=batch_size,
            context=context,
            shard=shard,
            calibration=calibration,
        )[DICE_AT_HALF.name],
    )


def evaluate_by(
    model: Tapped | nn.Module,
    dataset: Dataset[Any],
    protocols: Sequence[Protocol],
    *,
    task: Task | None = None,
    batch_size: int = 8,
    context: AbstractContextManager[Any] | None = None,
    shard: tuple[int, int] = (0, 1),
    calibration: Calibration | None = None,
    see: See | None = None,
) -> dict[str, Metric]:
    """Score a network by several protocols in one pass.

    A protocol that reads masks gets the decoded mask; one that reads maps gets the probability of the
    foreground in 8 bits, rounded as a file would hold it, and not stretched. A protocol that scores at one size gets
    the network's own logits at that size, not those that were brought to the image's size and back. Where a
    protocol's originals resize the image, too, a network without a size of its own sees it so, in a pass of its own.

    Args:
        model: The network; it is left as it was found.
        dataset: Samples at native size.
        protocols: How to score.
        task: What the labels mean; `Binary()` if not given.
        batch_size: Images per forward pass.
        context: Of the forward passes, such as autocast.
        shard: This process's number and how many share the work.
        calibration: Takes in the probabilities as they are, of any task.
        see: Called with the name of every image and its probabilities `(C, *spatial)`, at the image's own size.

    Returns:
        The filled metrics by name of protocol.

    Raises:
        SegDistillError: If there is nothing to score, a protocol scores volumes or does not know the task, or the
            network gives numbers that are not finite.
    """
    task, tapped = task or Binary(), model if isinstance(model, Tapped) else Tapped(model)
    count = len(dataset)  # type: ignore[arg-type]
    if not count:
        raise SegDistillError("There are no images to evaluate. Name a data set that has some.")
    fed = _fed(protocols, task, calibration, see, tapped)
    device = tapped.mean.device
    with _evaluating(tapped), torch.inference_mode(), context or contextlib.nullcontext():
        ours = range(shard[0], count, shard[1])
        for start in range(0, len(ours), batch_size):
            samples = [read_sample(dataset, index) for index in ours[start : start + batch_size]]
            images = [to_unit(sample["image"].as_subclass(Tensor).to(device)) for sample in samples]
            for each in fed:
                own = tapped.own([each.shown(image) for image in images])
                for sample, image, logits in zip(samples, images, own, strict=True):
                    check_finite(logits, lacks="score", name=sample["id"])
                    each.update(logits, image.shape[1:], sample["mask"].numpy(), sample["id"])
    metrics = {name: metric for each in fed for name, metric in each.metrics.items()}
    return {each.name: metrics[each.name] for each in protocols}


def _fed(
    protocols: Sequence[Protocol],
    task: Task,
    calibration: Calibration | None,
    see: See | None,
    net: Tapped,
) -> list[_Fed]:
    """Protocols that look at the same image together; a network with a size of its own sees the image at that."""
    resizing = [each for each in protocols if each.resizes_images and net.size is None]
    rest = [each for each in protocols if each not in resizing]
    together = [_Fed(rest, task, calibration, see)] if rest or calibration or see else []
    return together + [_Fed([each], task, None, resizes=each) for each in resizing]


class _Fed:
    """Metrics of several protocols, each fed with what it reads."""

    def __init__(
        self,
        protocols: Sequence[Protocol],
        task: Task,
        calibration: Calibration | None,
        see: See | None = None,
        resizes: Protocol | None = None,
    ) -> None:
        self.protocols, self.task, self.resizes = protocols, task, resizes
        self.calibration, self.see = calibration, see
        self.reads = {each.reads for each in protocols}
        if volumes := next((each for each in protocols if each.reads == "volume"), None):
            raise SegDistillError(
                f"{volumes.name!r} scores whole volumes, and this data set holds single images; predict the "
                "volumes and score the files with segdistill score, or name a protocol that reads maps or masks."
            )
        self.metrics = {each.name: each.metric(task) for each in protocols}
        if "map" in self.reads:
            _refuse_classes(task)

    def shown(self, image: Tensor) -> Tensor:
        """The image `(C, *spatial)` as the network is to see it."""
        if self.resizes is None:
            return image
        return resize(image[None], self.resizes.size_for(image.shape[1:]), antialias=True)[0]

    def update(self, own: Tensor, size: tuple[int, ...], target: NDArray[Any], name: str) -> None:
        """Take in one image of a size: `(1, C, *spatial)` logits as the network gives them."""
        if "map" in self.reads:
            _refuse_ignored(target, self.task, name)
        of_kind = {"map": _map, "mask": _mask}
        seen: dict[tuple[str, tuple[int, ...]], NDArray[Any]] = {}
        for each in self.protocols:
            key = each.reads, each.size_for(size)
            if key not in seen:
                seen[key] = of_kind[each.reads](resize(own, key[1]).float(), self.task)
            self.metrics[each.name].update([seen[key]], [target], [name])
        if self.calibration is None and self.see is None:
            return
        probabilities = self.task.probabilities(resize(own, size).float())[0].cpu().numpy()
        if self.calibration is not None:
            self.calibration.update([probabilities], [target], [name])
        if self.see is not None:
            self.see(name, probabilities)


def _mask(logits: Tensor, task: Task) -> NDArray[Any]:
    mask: NDArray[Any] = task.decode(logits)[0].cpu().numpy()
    return mask


def _map(logits: Tensor, task: Task) -> NDArray[np.uint8]:
    foreground = task.probabilities(logits)[0, -1]
    levels: NDArray[np.uint8] = (foreground * 255).round().to(torch.uint8).cpu().numpy()
    return levels


def _refuse_classes(task: Task) -> None:
    if isinstance(task, Multilabel) or len(task.classes) != 2:
        raise SegDistillError(
            f"A protocol that reads maps scores one foreground, and this network finds {', '.join(task.classes)}; "
            "name a protocol that reads masks."
        )


def _refuse_ignored(target: NDArray[Any], task: Task, name: str) -> None:
    if (target == task.ignore_index).any():
        raise SegDistillError(
            f"The mask of {name!r} has ignored pixels, which no protocol that reads maps knows; "
            "name one that reads masks, or make them background."
        )


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    was_training = {name: module.training for name, module in model.named_modules()}
    model.eval()
    try:
        yield
    finally:
        for name, module in model.named_modules():
            module.training = was_training[name]
