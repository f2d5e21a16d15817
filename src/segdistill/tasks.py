"""What the pixels mean: which distribution the logits stand for, and how labels and predictions read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from segdistill.core import SegDistillError, unknown


class Task(Protocol):
    """One kind of labels. Losses, methods and metrics read everything about labels from here."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names by index in the mask."""
        ...

    @property
    def ignore_index(self) -> int:
        """Label that no loss and no metric counts."""
        ...

    @property
    def channels(self) -> int:
        """How many logits a pixel has."""
        ...

    def log_probs(self, logits: Tensor, temperature: float = 1.0) -> Tensor:
        """`(B, C, *spatial)` logits as log-probabilities `(B, outcomes, variables, *spatial)`.

        Every variable is one independent distribution; its outcomes sum to one over dimension 1.
        """
        ...

    def logits(self, log_probs: Tensor) -> Tensor:
        """The way back from `log_probs`, up to what a softmax cannot see."""
        ...

    def probabilities(self, logits: Tensor) -> Tensor:
        """`(B, C, *spatial)` logits as probabilities of the same shape."""
        ...

    def targets(self, mask: Tensor) -> Tensor:
        """A mask as `(B, C, *spatial)` zeros and ones; ignored pixels are all zero.

        A binary mask of floats may hold shares of foreground, which stay as they are.
        """
        ...

    def valid(self, mask: Tensor) -> Tensor:
        """Which pixels count, `(B, 1, *spatial)`."""
        ...

    def decode(self, logits: Tensor) -> Tensor:
        """Logits as a mask of this task."""
        ...


class _Sigmoid:
    """One Bernoulli variable per channel."""

    def log_probs(self, logits: Tensor, temperature: float = 1.0) -> Tensor:
        z = logits / temperature
        # log(1 - sigmoid(z)) = logsigmoid(-z): exact also where the probability rounds to one.
        return torch.stack([F.logsigmoid(-z), F.logsigmoid(z)], dim=1)

    def logits(self, log_probs: Tensor) -> Tensor:
        return log_probs[:, 1] - log_probs[:, 0]

    def probabilities(self, logits: Tensor) -> Tensor:
        return logits.sigmoid()


@dataclass(frozen=True)
class Binary(_Sigmoid):
    """Foreground or not: one sigmoid channel, masks of zeros and ones.

    Args:
        classes: Names of background and foreground.
        ignore_index: Label that no loss and no metric counts.
    """

    classes: tuple[str, ...] = ("background", "foreground")
    ignore_index: int = 255

    def __post_init__(self) -> None:
        _check_classes("Binary", self.classes, exactly=2)

    @property
    def channels(self) -> int:
        return 1

    def targets(self, mask: Tensor) -> Tensor:
        if mask.is_floating_point():  # shares, as bilinear resizing leaves them
            return mask.unsqueeze(1).float() * self.valid(mask)
        return (mask == 1).unsqueeze(1).float()

    def valid(self, mask: Tensor) -> Tensor:
        return (mask != self.ignore_index).unsqueeze(1)

    def decode(self, logits: Tensor) -> Tensor:
        return (logits[:, 0] > 0).to(torch.uint8)


@dataclass(frozen=True)
class Multiclass:
    """Exactly one class per pixel: a softmax over the channels, masks of class indices.

    Args:
        classes: Names in the order of their index; the first is the background.
        ignore_index: Label that no loss and no metric counts.
    """

    classes: tuple[str, ...]
    ignore_index: int = 255

    def __post_init__(self) -> None:
        _check_classes("Multiclass", self.classes)

    @property
    def channels(self) -> int:
        return len(self.classes)

    def log_probs(self, logits: Tensor, temperature: float = 1.0) -> Tensor:
        return (logits / temperature).log_softmax(dim=1).unsqueeze(2)

    def logits(self, log_probs: Tensor) -> Tensor:
        return log_probs.squeeze(2)

    def probabilities(self, logits: Tensor) -> Tensor:
        return logits.softmax(dim=1)

    def targets(self, mask: Tensor) -> Tensor:
        valid = self.valid(mask)
        onehot = F.one_hot(mask.long().where(valid[:, 0], 0), self.channels).movedim(-1, 1)
        return (onehot * valid).float()

    def valid(self, mask: Tensor) -> Tensor:
        return (mask != self.ignore_index).unsqueeze(1)

    def decode(self, logits: Tensor) -> Tensor:
        return logits.argmax(dim=1).to(torch.uint8 if self.channels <= 256 else torch.int64)


@dataclass(frozen=True)
class Multilabel(_Sigmoid):
    """Any number of classes per pixel: one sigmoid per channel, masks `(B, C, *spatial)` of zeros and ones.

    Args:
        classes: Names in the order of the channels; there is no background among them.
        ignore_index: Label that no loss and no metric counts; a pixel is ignored where any channel holds it.
    """

    classes: tuple[str, ...]
    ignore_index: int = 255

    def __post_init__(self) -> None:
        _check_classes("Multilabel", self.classes, least=1)

    @property
    def channels(self) -> int:
        return len(self.classes)

    def targets(self, mask: Tensor) -> Tensor:
        return ((mask == 1) & self.valid(mask)).float()

    def valid(self, mask: Tensor) -> Tensor:
        return (mask != self.ignore_index).all(dim=1, keepdim=True)

    def decode(self, logits: Tensor) -> Tensor:
        return (logits > 0).to(torch.uint8)


def check_channels(logits: Tensor, task: Task, *, role: str) -> None:
    """Refuse a network whose logits do not fit the task.

    Args:
        logits: `(B, C, *spatial)`.
        task: What they should mean.
        role: What the network is, for the message.

    Raises:
        SegDistillError: Naming both numbers.
    """
    if logits.shape[1] != task.channels:
        raise SegDistillError(
            f"The {role} gives {logits.shape[1]} logit channels, but {type(task).__name__} over {list(task.classes)} "
            f"needs {task.channels}. Change the {role}'s classes or the task."
        )


def _check_classes(task: str, classes: Sequence[str], *, exactly: int = 0, least: int = 2) -> None:
    if exactly and len(classes) != exactly:
        raise SegDistillError(f"{task} needs exactly {exactly} class names, got {list(classes)}.")
    if len(classes) < least:
        raise SegDistillError(f"{task} needs at least {least} class names, got {list(classes)}.")
    if len(set(classes)) < len(classes):
        raise SegDistillError(f"{task} got a class name twice: {list(classes)}.")


TASKS: dict[str, type[Task]] = {"Binary": Binary, "Multiclass": Multiclass, "Multilabel": Multilabel}


def to_plain(task: Task) -> dict[str, Any]:
    """A task as plain data: `{"Binary": {"classes": [...], ...}}`."""
    options = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(task).items()}  # type: ignore[call-overload]
    return {type(task).__name__: options}


def from_plain(value: Mapping[str, Any]) -> Task:
    """The way back from `to_plain`.

    Raises:
        SegDistillError: If there is no such task.
    """
    name, options = next(iter(value.items()))
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return TASKS[name](**{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})
