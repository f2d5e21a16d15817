"""Masked generative distillation."""

from __future__ import annotations

from torch import Tensor, nn

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.hiding import shown
from segdistill.methods.parts.layers import convolution, projection
from segdistill.methods.parts.limits import check_share
from segdistill.methods.traits import Traits


class MGD(PairMethod):
    r"""Let the student regenerate the teacher's feature from a randomly masked one of its own.

    $$\underset{n,c,i}{\mathrm{mean}} \; \big(G(m \odot A f^s) - f^t\big)^2$$

    with a trained 1x1 alignment $A$, a trained generator $G$ (3x3, ReLU, 3x3) and a mask $m$, shared by the channels
    and drawn anew at every step. The authors' code sums over the elements and divides by the batch: a published
    $\alpha$ is `weight = alpha * C * H * W` here, with the teacher's channels. It aligns only where the channels
    differ; here the alignment, then started as the identity, is always trained. Their ratio of 0.75 is the part that is
    masked, as it is here.

    The generator has 18 times the square of the teacher's channels in weights. The default is what the head turns into
    logits, as in the paper; at the end of a large encoder (2048 channels, 75 million weights) it costs more than both
    networks.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        masked: Part of the positions that is masked, from 0 to below 1.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If everything would be masked.
    """

    paper = "Yang et al., Masked Generative Distillation, ECCV 2022 (arXiv 2205.01529)"
    traits = Traits("features", zero=False, tiles=False, draws=True)
    adapts = True

    def __init__(self, taps: Taps = "decoder", masked: float = 0.75, weight: float = 1.0) -> None:
        super().__init__(taps, weight)
        check_share("MGD", zero=True, masked=masked)
        self.masked = masked

    def adapter(self, student: Tensor, teacher: Tensor) -> nn.Module:
        return Generation(student.shape[1], teacher.shape[1], self.masked, dimensions=student.ndim - 2)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return (student - teacher).square().mean()


class Generation(nn.Module):
    """Align, mask, and regenerate.

    Args:
        channels: Of the student.
        target: Of the teacher.
        masked: Part of the positions.
        dimensions: Spatial ones.
    """

    def __init__(self, channels: int, target: int, masked: float, *, dimensions: int) -> None:
        super().__init__()
        self.masked = masked
        self.align = projection(channels, target, dimensions=dimensions)
        self.generate = nn.Sequential(
            convolution(target, target, dimensions=dimensions, size=3),
            nn.ReLU(),
            convolution(target, target, dimensions=dimensions, size=3),
        )

    def forward(self, feature: Tensor) -> Tensor:
        aligned = self.align(feature)
        return self.generate(aligned * self.mask(aligned))  # type: ignore[no-any-return]

    def mask(self, feature: Tensor) -> Tensor:
        """Draw which positions to keep, `(B, 1, *spatial)` zeros and ones."""
        return shown(feature, self.masked).to(feature.dtype)
