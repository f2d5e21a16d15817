"""How to train: every number of a schedule, in one frozen object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from numbers import Integral, Real
from typing import Any

from segdistill.core import SegDistillError, unknown

OPTIMIZERS = ("adamw", "adam", "sgd")
SCHEDULES = ("constant", "step", "poly", "cosine", "one-cycle")
PRECISIONS = ("auto", "32", "bf16", "16")
SCALE_STEPS = ("one", "each")
RESCALES = ("smooth", "as_released")

#: Options that only some choices read; set with another choice they are a mistake, not a no-op.
_READERS = {
    "momentum": ("optimizer", ("sgd",)),
    "power": ("schedule", ("poly",)),
    "step_epochs": ("schedule", ("step",)),
    "step_factor": ("schedule", ("step",)),
    "patience": ("monitor", ("dice", "iou")),
}


@dataclass(frozen=True)
class Training:
    """A training schedule. Baseline and distilled student share one, or the comparison is not fair.

    Args:
        epochs: Passes over the training data.
        batch_size: Samples per step over all processes; each of `devices` takes its share.
        accumulate: Steps whose gradients are averaged before the weights move.
        optimizer: `adamw`, `adam` or `sgd`.
        lr: Peak learning rate.
        weight_decay: Of all parameters.
        momentum: Of `sgd`; 0.9 if not given.
        lr_factors: Learning-rate factor by the start of a parameter's name in the student, such as `{"encoder": 0.1}`.
        schedule: `constant`, `step`, `poly`, `cosine` or `one-cycle`.
        warmup: Epochs of linear growth before the schedule; may be a fraction.
        power: Exponent of `poly`; 0.9 if not given.
        step_epochs: Epochs between drops of `step`.
        step_factor: Factor of each drop of `step`; 0.1 if not given.
        clip_norm: Largest norm of the whole gradient.
        clip_value: Largest absolute value of a gradient's entry.
        scales: Factors of the input size (multi-scale training). Sizes are multiples of 32.
        scale_steps: `one` draws one of the scales for each batch; `each` takes an optimiser step at each of them, in
            their order.
        rescale: How a batch comes to its scale. `smooth`: images smoothed where they shrink, masks to the nearest
            pixel, and the teacher answers for the images as they came. `as_released`: as the releases of PraNet,
            Polyp-PVT and KDAS have it, images and masks bilinearly with corners on corners, so that masks hold shares
            from 0 to 1, and the teacher sees what the student sees.
        ema: Decay of an exponential moving average of the student, which is then what is validated and saved.
        patience: Stop after so many epochs without a better validation score.
        precision: `32`, `bf16` or `16` (mixed), or `auto`: bf16 where the hardware has it.
        channels_last: Keep images as NHWC in memory, which is faster nearly everywhere.
        accelerator: `cpu`, `cuda`, `mps` or `auto`.
        devices: How many processes, one per device.
        workers: Loader processes; `None` takes one per two cores, at most 8.
        seed: Of everything random.
        monitor: Which epoch's weights are the result: that of the best validation `dice` or `iou`, or the `last`, as
            befits a schedule that ends at zero and a validation set that is small.
        checkpoint_steps: Steps between checkpoints within an epoch; there is one after each epoch anyway.

    Raises:
        SegDistillError: If a value is impossible, or an option is set that nothing reads.
    """

    epochs: int = 20
    batch_size: int = 8
    accumulate: int = 1
    optimizer: str = "adamw"
    lr: float = 1e-3
    weight_decay: float = 1e-2
    momentum: float | None = None
    lr_factors: Mapping[str, float] = field(default_factory=dict)
    schedule: str = "cosine"
    warmup: float = 0.0
    power: float | None = None
    step_epochs: int | None = None
    step_factor: float | None = None
    clip_norm: float | None = None
    clip_value: float | None = None
    scales: tuple[float, ...] = ()
    scale_steps: str = "one"
    rescale: str = "smooth"
    ema: float | None = None
    patience: int | None = None
    precision: str = "auto"
    channels_last: bool = True
    accelerator: str = "auto"
    devices: int = 1
    workers: int | None = None
    seed: int = 0
    monitor: str = "dice"
    checkpoint_steps: int | None = None

    def __post_init__(self) -> None:
        self._check_kinds()
        self._check_choices()
        self._check_numbers()
        self._check_readers()

    def _check_kinds(self) -> None:
        for each in fields(self):
            kind, value = str(each.type), getattr(self, each.name)
            lacks = value is None and kind.endswith("None")
            if kind.startswith("int"):
                _require(each.name, value, lacks or _is_number(value, Integral), "a whole number")
            elif kind.startswith("float"):
                _require(each.name, value, lacks or _is_number(value), "a number")
        factors, scales = self.lr_factors, self.scales
        named = isinstance(factors, Mapping) and all(map(_is_number, factors.values()))
        _require("lr_factors", factors, named, "factors by name, such as {'encoder': 0.1}")
        listed = isinstance(scales, (tuple, list)) and all(map(_is_number, scales))
        _require("scales", scales, listed, "a list of factors, such as (0.75, 1, 1.25)")

    def _check_choices(self) -> None:
        for name, known in (
            ("optimizer", OPTIMIZERS),
            ("schedule", SCHEDULES),
            ("precision", PRECISIONS),
            ("scale_steps", SCALE_STEPS),
            ("rescale", RESCALES),
            ("monitor", ("dice", "iou", "last")),
        ):
            if getattr(self, name) not in known:
                raise unknown(name, str(getattr(self, name)), known)

    def _check_numbers(self) -> None:
        for name in ("epochs", "batch_size", "accumulate", "devices"):
            _require(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")
        for name in ("lr", "clip_norm", "clip_value", "patience", "step_epochs", "checkpoint_steps"):
            value = getattr(self, name)
            _require(name, value, value is None or value > 0, "more than 0")
        for name in ("weight_decay", "momentum"):
            value = getattr(self, name)
            _require(name, value, value is None or value >= 0, "at least 0")
        for name in ("power", "step_factor"):
            value = getattr(self, name)
            _require(name, value, value is None or value > 0, "more than 0")
        factors = dict(self.lr_factors)
        _require(
            "lr_factors", factors, all(factor > 0 for factor in factors.values()), "factors of more than 0"
        )
        _require("seed", self.seed, 0 <= self.seed < 2**63, "at least 0 and less than 2**63")
        _require("ema", self.ema, self.ema is None or 0 < self.ema < 1, "between 0 and 1")
        _require("warmup", self.warmup, 0 <= self.warmup < self.epochs, "at least 0 and less than epochs")
        _require("scales", self.scales, all(s > 0 for s in self.scales), "positive factors")
        if self.clip_norm and self.clip_value:
            raise SegDistillError("clip_norm and clip_value are both set. Choose one way to clip.")
        if self.batch_size % self.devices:
            raise SegDistillError(
                f"batch_size {self.batch_size} does not divide into {self.devices} devices. Take a multiple."
            )
        if self.schedule == "step" and not self.step_epochs:
            raise SegDistillError("The schedule 'step' needs step_epochs, the epochs between drops.")

    def _check_readers(self) -> None:
        for option, (choice, readers) in _READERS.items():
            if getattr(self, option) is not None and getattr(self, choice) not in readers:
                raise SegDistillError(
                    f"{option} is set, but {choice} {getattr(self, choice)!r} does not read it. "
                    f"Remove it or take {choice} {readers[0]!r}."
                )

        if self.warmup and self.schedule == "one-cycle":
            raise SegDistillError("warmup is set, but 'one-cycle' has a rise of its own. Remove warmup.")
        for option, choice in (("scale_steps", "one"), ("rescale", "smooth")):
            if getattr(self, option) != choice and not self.scales:
                raise SegDistillError(
                    f"{option} is {getattr(self, option)!r}, but there are no scales. Name them, or remove {option}."
                )
        if self.scale_steps == "each" and self.accumulate > 1:
            raise SegDistillError(
                f"scale_steps 'each' moves the weights at every scale, accumulate {self.accumulate} only after several "
                f"batches. Choose one of them."
            )

    def as_dict(self) -> dict[str, Any]:
        """All values as plain data, for the run folder."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _is_number(value: Any, kind: type[Any] = Real) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)


def _require(name: str, value: object, holds: bool, what: str) -> None:
    if not holds:
        raise SegDistillError(f"{name} must be {what}, got {value!r}.")
