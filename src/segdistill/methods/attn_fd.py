"""Attention-guided feature distillation."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.adapters import Adapter
from segdistill.methods.parts.cbam import CBAM
from segdistill.methods.parts.directions import unit
from segdistill.methods.traits import Traits


class AttnFD(PairMethod):
    r"""Match features refined by attention over channels and positions, up to their length.

    $$\underset{n}{\mathrm{mean}} \left\| \frac{W a(f^s)}{\|W a(f^s)\|} - \frac{a_0(f^t)}{\|a_0(f^t)\|} \right\|^2$$

    with a trained block attention module $a$ (CBAM) and a trained 1x1 projection $W$ on the student's side. On the
    teacher's, $a_0$ is the same without parameters: gates from the standardised sum of mean and maximum, over
    positions for a channel and over channels for a position.

    In the authors' code the teacher's attention is random and never trained, the length is that of the whole batch
    and the result is divided by the number of images: with equal lengths of all images a published weight $w$ for
    batches of $B$ is `weight = w / B` here. That code is `released.attn_fd.AttnFDReleased`. A batch norm within
    the attention makes an image's loss depend a little on the others in its batch.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = (
        "Mansourian et al., Attention-guided Feature Distillation for Semantic Segmentation, WACV 2026 "
        "(arXiv 2403.05451)"
    )
    traits = Traits("features", relational=True, zero=False, tiles=False)
    adapts = True

    def __init__(self, taps: Taps = ("high", "decoder"), weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def adapter(self, student: Tensor, teacher: Tensor) -> nn.Module:
        channels, dimensions = student.shape[1], student.ndim - 2
        # With fewer than four hidden units, all may be dead from the start.
        attention = CBAM(channels, max(4, channels // 16), dimensions=dimensions)
        return nn.Sequential(attention, Adapter(channels, teacher.shape[1], dimensions=dimensions))

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = (unit(f.flatten(1)) for f in (student, refined(teacher)))
        return (s - t).square().sum(dim=1).mean()


def refined(feature: Tensor) -> Tensor:
    """Block attention without parameters on `(B, C, *spatial)`."""
    flat = feature.flatten(2)
    flat = flat * _gate(flat.mean(dim=2) + flat.amax(dim=2))[:, :, None]
    flat = flat * _gate(flat.mean(dim=1) + flat.amax(dim=1))[:, None]
    return flat.view_as(feature)


def _gate(found: Tensor) -> Tensor:
    # Standardised: gates tell more from less, whatever the scale of the network's features.
    return F.layer_norm(found, found.shape[1:]).sigmoid()
