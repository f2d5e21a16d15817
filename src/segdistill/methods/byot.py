"""A network that is its own teacher."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdistill.core import Output, SegDistillError
from segdistill.methods.base import Method, key
from segdistill.methods.parts.adapters import Adapter, match_size
from segdistill.methods.parts.divergence import kl
from segdistill.methods.parts.exits import cross_entropy, name_exits
from segdistill.methods.parts.layers import projection
from segdistill.methods.parts.limits import check_at_least, check_positive, check_share, check_weight
from segdistill.methods.traits import Traits
from segdistill.tasks import Task


class BYOT(Method):
    r"""Distil a network's end into exits of its own shallower layers. It needs no teacher.

    For every exit $k$, with a trained 1x1 bottleneck $g_k = B_k f_k$ and head $z_k = H_k \, \mathrm{relu}(g_k)$:

    $$(1 - \alpha) \, \mathrm{CE}(z_k, y) + \alpha \, T^2 \, \mathrm{mean} \, \mathrm{KL}(p^T_{end} \,\|\, p^T_k)
    + \lambda \, \mathrm{mean} \, (g_k - f_{end})^2$$

    $f_{end}$ and $p_{end}$ are the network's own deepest feature and class distribution. No gradient flows into them.
    Bottlenecks and heads are thrown away after the training. An exit decides at its feature's size: labels, logits and
    the deepest feature are averaged over its cells. CE is a mean over labelled pixels per image, then over images; an
    image without any label counts as zero. KL and hint are means over all positions, the hint over channels too, where
    the paper has a sum of squares: its $\lambda$ is `hint = lambda * C * H * W` here, for a feature of that size.

    The paper's bottlenecks are stacks of strided convolutions, and its exits end in pooling and a linear layer, for it
    classifies images.

    Args:
        taps: Layers that get an exit.
        deepest: The layer $f_{end}$ that the hint takes.
        alpha: $\alpha$, share of the network's own logits against the labels.
        temperature: $T$.
        hint: $\lambda$.
        weight: Factor of every exit's loss.

    Raises:
        SegDistillError: If there are no taps or the deepest is one of them, the temperature or the weight is not
            positive, alpha is not between 0 and 1, or the hint is negative.
    """

    paper = "Zhang et al., Be Your Own Teacher, ICCV 2019 (arXiv 1905.08094)"
    traits = Traits("self", labels=True, everywhere=True, teacher=False, zero=False)

    def __init__(
        self,
        taps: str | Sequence[str] = ("e3", "e4", "e5"),
        deepest: str = "decoder",
        alpha: float = 0.3,
        temperature: float = 3.0,
        hint: float = 0.03,
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        check_weight("BYOT", weight)
        self.exits = name_exits("BYOT", taps)
        if deepest in self.exits:
            raise SegDistillError(
                f"BYOT takes {deepest!r} both as an exit and as the deepest layer. Name another."
            )
        check_share("BYOT", zero=True, one=True, alpha=alpha)
        check_positive("BYOT", temperature=temperature)
        check_at_least("BYOT", 0, hint=hint)
        self.deepest, self.temperature, self.weight = deepest, temperature, weight
        self.factors = {"labels": 1 - alpha, "logits": alpha, "hint": hint}
        self.student_taps = (*self.exits, deepest)
        self.bottlenecks, self.heads = nn.ModuleDict(), nn.ModuleDict()

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        width = student[self.deepest].shape[1]
        for tap in self.exits:
            x = student[tap]
            self.bottlenecks[key(tap)] = Adapter(x.shape[1], width, dimensions=x.ndim - 2)
            self.heads[key(tap)] = projection(width, task.channels, dimensions=x.ndim - 2)

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        with torch.autocast(student.logits.device.type, enabled=False):
            return {
                f"BYOT/{tap}/{name}": self.weight * self.factors[name] * value
                for tap in self.exits
                for name, value in self.losses(tap, student, mask).items()
                if self.factors[name] > 0
            }

    def losses(self, tap: str, student: Output, mask: Tensor) -> dict[str, Tensor]:
        """The three losses of one exit, by the names of their factors."""
        feature = self.bottlenecks[key(tap)](student[tap].float())
        logits = self.heads[key(tap)](F.relu(feature))
        size = feature.shape[2:]
        end, own = (match_size(x.detach().float(), size) for x in (student[self.deepest], student.logits))
        return {
            "labels": cross_entropy(logits, mask, self.task),
            "logits": self.divergence(logits, own),
            "hint": (feature - end).square().mean(),
        }

    def divergence(self, logits: Tensor, own: Tensor) -> Tensor:
        """KD's divergence of an exit from the network's own logits."""
        s = self.task.log_probs(logits, self.temperature)
        t = self.task.log_probs(own, self.temperature)
        return kl(s, t, dim=1).mean() * self.temperature**2
