"""A teacher that computes: a frozen network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Self

import torch
from torch import Tensor, nn

from segdistill.core import Batch, Output
from segdistill.taps import Tapped


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
        """Hash of all parameters and of the buffers that a file of weights holds, to prove that nothing moved.

        Buffers that are not persistent are computed anew when a network is built, and state that is no tensor has no
        bytes to compare: both are left out.
        """
        digest = hashlib.blake2b(digest_size=16)
        for name, tensor in sorted(self.net.state_dict().items()):
            if not isinstance(tensor, Tensor):
                continue
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
