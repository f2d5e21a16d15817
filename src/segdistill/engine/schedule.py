"""The learning rate and the optimiser. Both are functions of the step, so there is no state to lose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from segdistill.core import unknown
from segdistill.engine.training import Training

PEAK = "peak_lr"


def build_optimizer(student: nn.Module, others: list[nn.Parameter], training: Training) -> Optimizer:
    """Create the optimiser over the student's groups and everything else that is trained.

    Args:
        student: Its parameters get the factor of the longest fitting start of their name.
        others: Parameters of adapters and losses, at factor 1.
        training: Choice and numbers.

    Raises:
        SegDistillError: If a start in `lr_factors` fits no parameter.
    """
    groups = [
        {"params": params, "lr": training.lr * factor, PEAK: training.lr * factor}
        for factor, params in _by_factor(student, others, training.lr_factors).items()
    ]
    options: dict[str, Any] = {"lr": training.lr, "weight_decay": training.weight_decay}
    if training.optimizer == "sgd":
        options["momentum"] = 0.9 if training.momentum is None else training.momentum
    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    optimizer: Optimizer = kinds[training.optimizer](groups, foreach=True, **options)
    return optimizer


def _by_factor(
    student: nn.Module, others: list[nn.Parameter], factors: Mapping[str, float]
) -> dict[float, list[nn.Parameter]]:
    named = {name: p for name, p in student.named_parameters() if p.requires_grad}
    for start in factors:
        if not any(_starts(name, start) for name in named):
            raise unknown(
                "start of a parameter's name in lr_factors", start, {n.split(".")[0] for n in named}
            )
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in named.items():
        fitting = [start for start in factors if _starts(name, start)]
        groups.setdefault(factors[max(fitting, key=len)] if fitting else 1.0, []).append(parameter)
    if others:
        groups.setdefault(1.0, []).extend(others)
    return groups


def _starts(name: str, start: str) -> bool:
    return name == start or name.startswith(f"{start}.")


def set_learning_rate(optimizer: Optimizer, factor: float) -> None:
    """Move every group to a factor of its peak."""
    for group in optimizer.param_groups:
        group["lr"] = group[PEAK] * factor


def learning_rate_factor(step: int, *, steps_per_epoch: int, training: Training) -> float:
    """Factor of the peak learning rate at a step.

    Args:
        step: Optimiser steps done, from 0.
        steps_per_epoch: Optimiser steps of an epoch.
        training: The schedule.
    """
    warm = training.warmup * steps_per_epoch
    if step < warm:
        return (step + 1) / (warm + 1)
    total = training.epochs * steps_per_epoch
    progress = (step - warm) / max(total - warm, 1)
    return _SHAPES[training.schedule](progress, training)


def _constant(progress: float, training: Training) -> float:
    return 1.0


def _step(progress: float, training: Training) -> float:
    epoch = math.floor(progress * (training.epochs - training.warmup) + 1e-9)
    factor = 0.1 if training.step_factor is None else training.step_factor
    return float(factor ** (epoch // (training.step_epochs or training.epochs)))


def _poly(progress: float, training: Training) -> float:
    return float((1 - progress) ** (0.9 if training.power is None else training.power))


def _cosine(progress: float, training: Training) -> float:
    return (1 + math.cos(math.pi * progress)) / 2


def _one_cycle(progress: float, training: Training) -> float:
    # Smith and Topin's shape with the usual constants: from 1/25 up in 30 % of the steps, then down to 1e-4 / 25.
    low, end, rise = 1 / 25, 1e-4 / 25, 0.3
    if progress < rise:
        return low + (1 - low) * (1 - math.cos(math.pi * progress / rise)) / 2
    return end + (1 - end) * _cosine((progress - rise) / (1 - rise), training)


_SHAPES = {"constant": _constant, "step": _step, "poly": _poly, "cosine": _cosine, "one-cycle": _one_cycle}
