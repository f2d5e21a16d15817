"""Where the teacher's output comes from. A teacher is a source, never a part of what is trained."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol, Self

import torch
from torch import nn

from segdistill.core import Batch, Output, SegDistillError
from segdistill.taps import Tapped
from segdistill.tasks import Task


class TeacherSource(Protocol):
    """Anything that answers a batch with a teacher's output."""

    def tap(self, names: Iterable[str]) -> None:
        """Ask for features by name."""
        ...

    def to(self, device: torch.device) -> Self:
        """Move to a device."""
        ...

    def fingerprint(self) -> str:
        """Hash of everything that must not change during training."""
        ...

    def __call__(self, batch: Batch) -> Output:
        """The output for a batch, without a graph."""
        ...


class Teacher:
    """A frozen network. No gradients, always in evaluation mode, and it cannot thaw.

    It is deliberately not an `nn.Module`: no optimiser, checkpoint, EMA or DDP wrapper can reach its weights.

    Args:
        net: The network; a bare module sees images in [0, 1] as they are.

    Examples:
        >>> teacher = Teacher(Tapped(nn.Conv2d(3, 1, 1)))
        >>> teacher(Batch(torch.rand(1, 3, 8, 8), torch.zeros(1, 8, 8))).logits.requires_grad
        False
    """

    def __init__(self, net: Tapped | nn.Module) -> None:
        self.net = net if isinstance(net, Tapped) else Tapped(net)

    def tap(self, names: Iterable[str]) -> None:
        """Ask for features by name."""
        self.net.tap(names)

    def to(self, device: torch.device) -> Self:
        """Move the network to a device."""
        self.net.to(device)
        return self

    def fingerprint(self) -> str:
        """Hash of all parameters and buffers, to prove that nothing moved."""
        digest = hashlib.blake2b(digest_size=16)
        for name, tensor in sorted(self.net.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    def __call__(self, batch: Batch) -> Output:
        """The network's output for a batch.

        `eval()` is renewed at every call, since whoever shares the network might have called `train()`.
        """
        self.net.eval()
        with torch.inference_mode():
            output = self.net(batch.image)
        # Inference tensors cannot be saved for the student's backward; their copies can.
        return Output(
            output.logits.clone(), {name: feature.clone() for name, feature in output.features.items()}
        )


class Ensemble:
    """Several teachers as one: the weighted mean of their probabilities; features come from the first.

    Args:
        teachers: What to average.
        task: Says what probabilities are.
        weights: One per teacher; equal if not given.

    Raises:
        SegDistillError: If there is no teacher, or the weights do not fit.
    """

    def __init__(self, *teachers: Teacher, task: Task, weights: Sequence[float] | None = None) -> None:
        if not teachers:
            raise SegDistillError("An ensemble needs at least one teacher.")
        weights = list(weights) if weights is not None else [1.0] * len(teachers)
        if len(weights) != len(teachers) or min(weights) < 0 or sum(weights) <= 0:
            raise SegDistillError(
                f"{len(teachers)} teachers need as many weights of at least 0, got {weights}."
            )
        self.teachers, self.task = teachers, task
        self.weights = [w / sum(weights) for w in weights]

    def tap(self, names: Iterable[str]) -> None:
        """Ask the first teacher for features by name."""
        self.teachers[0].tap(names)

    def to(self, device: torch.device) -> Self:
        """Move all networks to a device."""
        for teacher in self.teachers:
            teacher.to(device)
        return self

    def fingerprint(self) -> str:
        """Hash of all parameters and buffers of all teachers."""
        return "+".join(teacher.fingerprint() for teacher in self.teachers)

    def __call__(self, batch: Batch) -> Output:
        """Logits whose probabilities are the mean of the teachers'."""
        outputs = [teacher(batch) for teacher in self.teachers]
        with torch.no_grad():
            terms = [
                self.task.log_probs(o.logits.float()) + _log(w)
                for o, w in zip(outputs, self.weights, strict=True)
            ]
            mean = torch.stack(terms).logsumexp(dim=0)
            return Output(self.task.logits(mean), outputs[0].features)


def _log(weight: float) -> torch.Tensor:
    return torch.tensor(weight).log()
