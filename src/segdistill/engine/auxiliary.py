"""Networks of a method that are trained beside the student, such as a discriminator: a step of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from segdistill.core import SegDistillError
from segdistill.engine import guards, hooks, schedule
from segdistill.engine.runtime import Runtime
from segdistill.engine.trainable import Trainable
from segdistill.methods import Method
from segdistill.methods.base import free_name


class Auxiliaries:
    """The auxiliary networks of all parts of a method.

    Outside their own step they are frozen: the student's optimiser, its guards and DDP do not see them, and the
    student's backward pass leaves no gradient in them.

    Args:
        trainable: Holds the method, built and on its device.
    """

    def __init__(self, trainable: Trainable) -> None:
        found = [(part, part.auxiliary_optimizer()) for part in hooks.parts(trainable.method)]
        self.networks = [_Auxiliary(part, optimizer) for part, optimizer in found if optimizer is not None]

    def step(self, runtime: Runtime, *, factor: float, when: str) -> dict[str, float]:
        """Let every network take a step on what the student's last forward pass saw.

        Args:
            runtime: Where the training runs.
            factor: Of the peak learning rate; the networks follow the student's schedule.
            when: For messages.

        Returns:
            The networks' losses by name.

        Raises:
            SegDistillError: If a loss or a gradient is not finite, or trains nothing.
        """
        values: dict[str, float] = {}
        for network in self.networks:
            for name, value in network.step(runtime, factor=factor, when=when).items():
                values[free_name(name, values)] = value
        return values

    def state(self) -> list[dict[str, Any]]:
        """The optimisers' states; the networks themselves are the method's."""
        return [network.optimizer.state_dict() for network in self.networks]

    def restore(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Bring back what `state` gave.

        Raises:
            ValueError: If it is of another method.
        """
        for network, state in zip(self.networks, states, strict=True):
            network.optimizer.load_state_dict(dict(state))


class _Auxiliary:
    """One part's auxiliary networks and their optimiser."""

    def __init__(self, part: Method, optimizer: Optimizer) -> None:
        self.part, self.optimizer, self.name = part, optimizer, type(part).__name__
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]
        own = {id(p) for p in part.parameters()}
        if not all(id(p) in own for p in self.parameters):
            raise SegDistillError(
                f"The auxiliary optimiser of {self.name} moves parameters that are not the method's. "
                f"Make the network an attribute of the method in build()."
            )
        for group in optimizer.param_groups:
            group[schedule.PEAK] = group["lr"]
        self.begun = False
        self._require_gradients(False)

    def step(self, runtime: Runtime, *, factor: float, when: str) -> dict[str, float]:
        schedule.set_learning_rate(self.optimizer, factor)
        # In float32: gradients of gradients do not survive half precision, nor its loss scaler.
        with self._thawed(), torch.autocast(runtime.device.type, enabled=False):
            losses = self.part.auxiliary_losses()
            values = self._checked(losses, runtime, when)
            # Into these parameters only, even if what the losses are made of still hangs on the student.
            torch.autograd.backward(torch.stack(list(losses.values())).sum(), inputs=self.parameters)
        self._average_gradients(runtime, when)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.begun = True
        return values

    @contextlib.contextmanager
    def _thawed(self) -> Iterator[None]:
        self._require_gradients(True)
        try:
            yield
        finally:
            self._require_gradients(False)

    def _require_gradients(self, wanted: bool) -> None:
        for parameter in self.parameters:
            parameter.requires_grad_(wanted)

    def _checked(self, losses: Mapping[str, Tensor], runtime: Runtime, when: str) -> dict[str, float]:
        """The losses' values, if they can be trained on; all processes stop together."""
        if not losses:
            raise SegDistillError(f"{self.name} has an auxiliary optimiser, but no auxiliary losses.")
        values = guards.scalars(losses)
        for name, loss in losses.items():
            if not loss.requires_grad:
                raise SegDistillError(
                    f"The auxiliary loss {name!r} has no gradient: it does not depend on the auxiliary network. "
                    f"Compute it from what the network says."
                )
        runtime.together(lambda: guards.check_finite(values, when))
        return values

    def _average_gradients(self, runtime: Runtime, when: str) -> None:
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self.parameters]
        norm = runtime.mean(torch.nn.utils.get_total_norm(gradients))
        if not torch.isfinite(norm) or (norm == 0 and not self.begun):
            raise SegDistillError(
                f"The auxiliary network of {self.name} has a gradient of {norm.item()} {when}. "
                f"Lower its learning rate, or check its losses."
            )
        if runtime.world == 1:
            return
        mean = runtime.mean(torch.cat([g.flatten() for g in gradients]))
        parts = torch.split(mean, [g.numel() for g in gradients])
        for parameter, part in zip(self.parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)
