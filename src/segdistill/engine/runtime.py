"""Devices, processes and precision: the only file that knows Fabric."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from segdistill.core import Batch, Output, SegDistillError
from segdistill.devices import resolve_accelerator
from segdistill.engine.depthwise import Float32DepthwiseBackward
from segdistill.engine.hidden import hidden
from segdistill.engine.training import Training

with hidden("torchmetrics"):  # Fabric compares its version with one it needs for something else: 1.5 s
    from lightning_fabric import Fabric
    from lightning_fabric.plugins import MixedPrecision

T = TypeVar("T")
_FABRIC_NAMES: dict[str, Any] = {"bf16": "bf16-mixed", "16": "16-mixed"}
#: Small gradients underflow in float16; the probe scales its losses as the loss scaler does at first.
_PROBE_SCALE = 2.0**16


class _KeepsInputs(MixedPrecision):
    """Mixed precision where autocast alone chooses: Fabric would round images and the teacher's maps to half."""

    def convert_input(self, data: Any) -> Any:
        return data


class Runtime:
    """Where and in which number format a training runs.

    Args:
        training: Accelerator, devices, precision and memory format.

    Raises:
        SegDistillError: If the device is not there.
    """

    def __init__(self, training: Training) -> None:
        accelerator = resolve_accelerator(training.accelerator)
        if accelerator == "cuda" and training.devices > torch.cuda.device_count():
            raise SegDistillError(
                f"devices is {training.devices}, but there are {torch.cuda.device_count()} GPUs."
            )
        self.training = training
        self.precision = resolve_precision(training.precision, accelerator)
        several = training.devices > 1 or "TORCHELASTIC_RUN_ID" in os.environ
        with _quiet():
            self.fabric = Fabric(
                accelerator=accelerator,
                devices=training.devices,
                strategy="ddp" if several else "auto",
                plugins=_KeepsInputs(_FABRIC_NAMES[self.precision], accelerator)
                if self.precision != "32"
                else None,
            )
            self.fabric.launch()
        if several:
            atexit.register(_leave_group)
        if self.world != training.devices:
            raise SegDistillError(
                f"{self.world} processes run, but devices is {training.devices}. Set both alike."
            )
        # On the CPU only: there the bf16 backward of depthwise convolutions is slow.
        self._slow_depthwise = accelerator == "cpu" and self.precision == "bf16"

    @property
    def device(self) -> torch.device:
        """The device of this process."""
        return self.fabric.device

    @property
    def rank(self) -> int:
        """Number of this process."""
        return self.fabric.global_rank

    @property
    def world(self) -> int:
        """How many processes there are."""
        return self.fabric.world_size

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run folder."""
        return self.fabric.is_global_zero

    def place(self, module: nn.Module) -> nn.Module:
        """Move a module to the device and memory format, before an optimiser sees it."""
        if self.world > 1 and self.device.type == "cuda":
            module = synchronized(module)
        module = module.to(self.device)
        for parameter in module.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=self._memory_format(4))
        return module

    def setup(self, module: nn.Module, optimizer: Optimizer) -> tuple[nn.Module, Optimizer]:
        """Wrap for mixed precision and, with several processes, for averaged gradients."""
        wrapped, optimizer = self.fabric.setup(module, optimizer)
        return wrapped, optimizer

    def move(self, batch: Batch) -> Batch:
        """Bring a batch to the device and memory format."""
        image = batch.image.to(self.device, non_blocking=True)
        image = image.contiguous(memory_format=self._memory_format(image.ndim))
        mask = batch.mask.to(self.device, non_blocking=True)
        return Batch(image, mask, batch.ids, self._moved(batch.teacher))

    def _moved(self, output: Output | None) -> Output | None:
        """A stored teacher's output on the device."""
        if output is None or self.device.type == "cpu":
            return output
        features = {tap: m.to(self.device, non_blocking=True) for tap, m in output.features.items()}
        return Output(output.logits.to(self.device, non_blocking=True), features)

    def _memory_format(self, dimensions: int) -> torch.memory_format:
        use = self.training.channels_last and dimensions == 4
        return torch.channels_last if use else torch.contiguous_format

    @contextlib.contextmanager
    def forward(self) -> Iterator[None]:
        """Context of a forward pass: number format, and float32 gradients of depthwise convolutions on the CPU."""
        special = self._slow_depthwise and torch.is_grad_enabled()
        with self.fabric.autocast(), Float32DepthwiseBackward() if special else contextlib.nullcontext():
            yield

    def backward(self, loss: Tensor) -> None:
        """Compute gradients, scaled where the number format needs it."""
        self.fabric.backward(loss)

    def defer_gradients(self, module: nn.Module, *, when: bool) -> AbstractContextManager[Any]:
        """Do not average gradients over processes yet."""
        return self.fabric.no_backward_sync(module, enabled=when and self.world > 1)  # type: ignore[arg-type]

    def clip(self, module: nn.Module, optimizer: Optimizer) -> Tensor:
        """Clip gradients as the schedule says, and return their norm before that."""
        self.fabric.strategy.precision.unscale_gradients(optimizer)
        parameters = [p for p in module.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None], foreach=True)
        if self.training.clip_norm:
            torch.nn.utils.clip_grads_with_norm_(parameters, self.training.clip_norm, norm, foreach=True)
        elif self.training.clip_value:
            torch.nn.utils.clip_grad_value_(parameters, self.training.clip_value, foreach=True)
        return norm

    @property
    def scales_loss(self) -> bool:
        """Whether infinite gradients are ordinary now and then, because a loss scaler looks for its scale."""
        return self.precision == "16"

    @property
    def loss_scale(self) -> float:
        """Factor that keeps small gradients from vanishing in the number format."""
        return _PROBE_SCALE if self.scales_loss else 1.0

    def scaler_state(self) -> dict[str, Any]:
        """State of the loss scaler, empty where there is none."""
        return dict(self.fabric.strategy.precision.state_dict())

    def restore_scaler(self, state: dict[str, Any]) -> None:
        """Bring back what `scaler_state` gave."""
        self.fabric.strategy.precision.load_state_dict(state)

    def mean(self, value: Tensor) -> Tensor:
        """Mean over processes."""
        return self.fabric.all_reduce(value, reduce_op="mean") if self.world > 1 else value  # type: ignore[return-value]

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in their order."""
        if self.world == 1:
            return [value]
        values: list[Any] = [None] * self.world
        torch.distributed.all_gather_object(values, value)
        return values

    def any(self, flag: bool) -> bool:
        """Whether it holds in any process."""
        if self.world == 1:
            return flag
        votes = self.fabric.all_reduce(torch.tensor(float(flag), device=self.device), reduce_op="sum")
        return bool(votes > 0)  # type: ignore[operator]

    def first(self, work: Callable[[], object]) -> None:
        """Let the first process work while the others wait; if it fails, all stop."""
        self.together(lambda: work() if self.is_first else None)

    def together(self, work: Callable[[], T]) -> T:
        """Let every process do its part; where one fails, all stop, and all say why.

        Without this, the others would wait for the one that failed, and what it says would not be heard: on the command
        line the first process speaks alone.

        Args:
            work: The part of this process, in which it must not wait for another.
        """
        try:
            done = work()
        except Exception as error:
            self._agree(error)
            raise
        self._agree(None)
        return done

    def _agree(self, error: Exception | None) -> None:
        """Tell the others of a mistake, or raise what they tell."""
        if not self.any(error is not None):
            return
        told = self.gather(None if error is None else _for_others(error))
        if error is None:
            raise next(filter(None, told))

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """Go through items, of which every process has as many; a mistake in the making of one stops all."""
        source = iter(items)
        while (item := self.together(lambda: next(source, None))) is not None:
            yield item

    def share_buffers(self, module: nn.Module) -> None:
        """Give every process the first one's buffers, so that all score the same network."""
        self.share(module.buffers())

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Give every process the first one's values."""
        if self.world == 1:
            return
        for tensor in tensors:
            value = tensor.detach().contiguous()
            torch.distributed.broadcast(value, src=0)
            tensor.detach().copy_(value)


def synchronized(module: nn.Module) -> nn.Module:
    """Convert batch norm to statistics over all processes, keeping what timm fuses with it."""
    from timm.layers import convert_sync_batchnorm

    if any(isinstance(m, nn.SyncBatchNorm) for m in module.modules()):
        return module
    return convert_sync_batchnorm(module)  # type: ignore[no-any-return]


def resolve_precision(name: str, accelerator: str) -> str:
    """Choose the number format, `auto` meaning bf16 where the hardware computes in it.

    Raises:
        SegDistillError: If the device has no such format.
    """
    if name == "16" and accelerator == "cpu":
        raise SegDistillError("precision '16' needs a GPU. Take 'bf16' or '32'.")
    if name != "auto":
        return name
    if accelerator == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "16"
    return "bf16" if accelerator == "cpu" and cpu_has_bf16() else "32"


def cpu_has_bf16() -> bool:
    """Whether the CPU has instructions for bf16; emulated ones are slower than float32."""
    features = torch.backends.cpu.get_cpu_capability()
    return features.startswith("AVX512") and torch.cpu._is_avx512_bf16_supported()


def _for_others(error: Exception) -> Exception:
    """What the other processes raise: not every exception can be sent, and only a mistake explains itself."""
    if isinstance(error, SegDistillError):
        return SegDistillError(str(error))
    return RuntimeError(f"{type(error).__name__} in another process: {error}")


def _leave_group() -> None:
    """End gloo's threads before the interpreter ends, which else aborts now and then; Fabric does so for NCCL only."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Launch without Fabric's chatter about what it found."""
    logger = logging.getLogger("lightning_fabric")
    level = logger.level
    logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)
