"""Tokens that find regions in a teacher's feature, and how they are learned from the teacher alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdistill.methods.parts.layers import convolution
from segdistill.taps import resize
from segdistill.tasks import Task

RATE = 0.02  # of Adam
SURE = 1e4  # a logit whose probability is one in float32


class Tokens(nn.Module):
    """Frozen vectors; each makes a mask of a feature by its similarity to every position.

    Args:
        feature: `(B, C, *spatial)` of the teacher, for the number of channels and the scale.
        count: Of tokens.
    """

    weight: Tensor

    def __init__(self, feature: Tensor, count: int) -> None:
        super().__init__()
        start = torch.randn(count, feature.shape[1], device=feature.device)
        self.register_buffer("weight", start * token_scale(feature))

    def forward(self, feature: Tensor) -> Tensor:
        """Masks `(B, tokens, positions)` from 0 to 1."""
        return scores(self.weight, feature).sigmoid()


def token_scale(feature: Tensor) -> Tensor:
    """What makes the products of a standard normal token with a feature about 1 in size."""
    size = feature.detach().float().square().mean().sqrt().clamp_min(1e-6)
    return 1 / (size * math.sqrt(feature.shape[1]))


def scores(tokens: Tensor, feature: Tensor) -> Tensor:
    """Logits `(B, K, positions)` of the masks that `(K, C)` tokens make of `(B, C, *spatial)`."""
    return tokens @ feature.flatten(2)


class Lesson:
    """Move tokens to regions that matter for the task and that differ from each other.

    The union of the masks is laid over the feature and a head makes logits of that: a 1x1 convolution, thrown away
    afterwards, or nothing where the feature is the logits. The loss is the negative log-likelihood of the labels
    plus the mean Dice overlap of two masks.

    Args:
        tokens: To be moved.
        feature: A sample of what they will see, `(B, C, *spatial)`.
        task: Which labels to predict.
        head: Whether the feature needs one.
    """

    def __init__(self, tokens: Tokens, feature: Tensor, task: Task, *, head: bool) -> None:
        self.tokens, self.task, self.scale = tokens, task, token_scale(feature)
        # Learned at unit scale, so that one learning rate fits every network.
        self.free = (tokens.weight / self.scale).requires_grad_()
        self.head: nn.Module = nn.Identity()
        if head:
            dimensions = feature.ndim - 2
            self.head = convolution(feature.shape[1], task.channels, dimensions=dimensions).to(feature.device)
        self.optimizer = torch.optim.Adam([self.free, *self.head.parameters()], lr=RATE)

    def step(self, feature: Tensor, mask: Tensor) -> float:
        """Learn from one batch.

        Args:
            feature: `(B, C, *spatial)`.
            mask: Labels as the task has them.

        Returns:
            The loss before the step.
        """
        with torch.enable_grad(), torch.autocast(feature.device.type, enabled=False):
            loss = self._loss(feature.float(), mask)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.tokens.weight.copy_(self.free.detach() * self.scale)
        return loss.item()

    def _loss(self, feature: Tensor, mask: Tensor) -> Tensor:
        found = scores(self.free * self.scale, feature)
        outside = F.logsigmoid(-found).sum(dim=1).exp()  # of every mask
        union = (1 - outside).view(len(feature), 1, *feature.shape[2:])
        targets = self.task.targets(mask)
        logits = resize(self.head(feature * union), targets.shape[2:])
        return self._surprise(logits, targets, self.task.valid(mask)) + overlap(found.sigmoid())

    def _surprise(self, logits: Tensor, targets: Tensor, valid: Tensor) -> Tensor:
        """Mean negative log-likelihood of the labels over the valid pixels."""
        truth = self.task.log_probs(SURE * (2 * targets - 1)).exp()
        surprise = -(truth * self.task.log_probs(logits)).sum(dim=1)
        return (surprise * valid).sum() / (valid.expand_as(surprise).sum().clamp_min(1))


def overlap(found: Tensor) -> Tensor:
    """Mean Dice overlap of two different masks of an image, `(B, tokens, positions)`; zero for a single one."""
    count = found.shape[1]
    products = found @ found.mT
    sizes = products.diagonal(dim1=1, dim2=2)
    dice = 2 * products / (sizes[:, :, None] + sizes[:, None]).clamp_min(1e-12)
    different = ~torch.eye(count, dtype=torch.bool, device=found.device)
    return (dice * different).sum() / (len(found) * max(count * (count - 1), 1))
