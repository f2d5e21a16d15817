"""Probabilities and truth of one image, pixel by pixel, checked."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.metrics.maps import check_unit, read_map, read_truth
from segdistill.tasks import Multiclass, Multilabel, Task

Array = NDArray[Any]
Probabilities = NDArray[np.floating]


class Pixels(NamedTuple):
    """The pixels of one image that count, `(N,)` each.

    Attributes:
        foreground: Probability that it is not background.
        is_foreground: Whether it is not.
        confidence: Probability of the class that was chosen.
        is_right: Whether that is its class.
        squares: Sum of the squared errors of all pixels.
    """

    foreground: Probabilities
    is_foreground: NDArray[np.bool_]
    confidence: Probabilities
    is_right: NDArray[np.bool_]
    squares: float


def read_pixels(predicted: Array, target: Array, task: Task | None, *, name: str) -> Pixels:
    """Check one image and take the pixels that count.

    Args:
        predicted: `(C, *spatial)` probabilities as the task gives them; or a map `(H, W)`, floats or uint8 levels.
        target: `(*spatial)` class indices, `(C, *spatial)` for multi-label tasks; with a map what `read_truth` accepts.
        task: What they mean; one foreground if not given.
        name: Id of the image, for messages.

    Raises:
        SegDistillError: If shapes differ, a value is no probability, or a label is unknown.
    """
    if isinstance(task, Multilabel):
        return _multilabel(check_unit(predicted, name=name), target, task, name)
    if has_classes(task):
        return _multiclass(check_unit(predicted, name=name), target, task, name)
    if predicted.ndim == target.ndim + 1:
        return _binary(check_unit(predicted[-1], name=name), target, task, name)
    p, t = read_map(predicted, name=name), read_truth(target, name=name)
    _check_shapes(p.shape, t.shape, name)
    return _bernoulli(p.ravel(), t.ravel())


def has_classes(task: Task | None) -> TypeGuard[Multiclass]:
    """Whether there are several classes to choose from; two are a foreground and a background."""
    return isinstance(task, Multiclass) and len(task.classes) > 2


def _binary(p: Array, t: Array, task: Task | None, name: str) -> Pixels:
    _check_shapes(p.shape, t.shape, name)
    counted = t != (255 if task is None else task.ignore_index)
    _check_labels(t[counted], 2, name)
    return _bernoulli(p[counted], t[counted] == 1)


def _multilabel(p: Array, t: Array, task: Multilabel, name: str) -> Pixels:
    _check_shapes(p.shape, (len(task.classes), *t.shape[1:]), name)
    counted = np.broadcast_to((t != task.ignore_index).all(axis=0), t.shape)
    _check_labels(t[counted], 2, name)
    return _bernoulli(p[counted], t[counted] == 1)


def _bernoulli(p: Array, true: NDArray[np.bool_]) -> Pixels:
    probability = p / 255 if p.dtype == np.uint8 else p
    confidence = np.maximum(probability, 1 - probability)
    squares = np.square(np.subtract(probability, true, dtype=np.float64)).sum()
    return Pixels(probability, true, confidence, (probability > 0.5) == true, float(squares))


def _multiclass(p: Array, t: Array, task: Multiclass, name: str) -> Pixels:
    classes = len(task.classes)
    _check_shapes(p.shape, (classes, *t.shape), name)
    counted = t != task.ignore_index
    label = t[counted].astype(np.intp)
    _check_labels(label, classes, name)
    # (p - y)² summed over classes is the sum of p² less what the true class changes. One class at a time: all of them
    # in float64 would need several times the memory of the probabilities.
    own = np.take_along_axis(p, np.where(counted, t, 0)[None].astype(np.intp), axis=0)[0][counted]
    squares = sum(float(np.square(channel[counted], dtype=np.float64).sum()) for channel in p)
    squares += float((1 - 2 * own.astype(np.float64)).sum())
    foreground = np.clip(1 - p[0][counted], 0, 1)
    right = p.argmax(axis=0)[counted] == label
    return Pixels(foreground, label > 0, p.max(axis=0)[counted], right, squares)


def _check_shapes(predicted: tuple[int, ...], wanted: tuple[int, ...], name: str) -> None:
    if predicted != wanted:
        raise SegDistillError(
            f"The predicted map of {name!r} is {predicted}, and {wanted} is needed; "
            f"bring the logits to the size of the image before they become probabilities."
        )


def _check_labels(labels: Array, classes: int, name: str) -> None:
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        wrong = next(value for value in np.unique(labels).tolist() if not 0 <= value < classes)
        raise SegDistillError(
            f"The true mask of {name!r} holds the label {wrong}; this task knows 0 to {classes - 1}."
        )
