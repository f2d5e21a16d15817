"""Category-wise similarity of double similarity distillation."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from segdistill.methods.base import PairMethod
from segdistill.methods.parts.class_maps import class_logits
from segdistill.methods.parts.limits import check_count, check_positive

_POOLS = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class CSD(PairMethod):
    r"""Match how much the maps of every two classes overlap.

    With $p_c$ the softmax over positions of $z_c / T$, of logits averaged over cells, and
    $G_{cd} = HW \sum_i p_{ci} \, p_{di}$:

    $$\underset{n,c,d}{\mathrm{mean}} \; \big(G^s_{ncd} - G^t_{ncd}\big)^2$$

    CIRKD's benchmark has no factor $HW$, so that its value falls with the fourth power of the resolution: with $HW$
    cells after pooling, its weight of 10 is `weight = 10 * HW**-2` here. A single sigmoid channel stands for
    background and foreground, as log-probabilities.

    Args:
        temperature: $T$, softness of the distributions.
        pool: Side of the cells that the logits are averaged over.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature is not positive, or the cells are smaller than a pixel.
    """

    paper = "Feng et al., Double Similarity Distillation for Semantic Image Segmentation, IEEE TIP 2021"

    def __init__(self, temperature: float = 4.0, pool: int = 2, weight: float = 1.0) -> None:
        super().__init__("logits", weight)
        check_positive("CSD", temperature=temperature)
        check_count("CSD", pool=pool)
        self.temperature, self.pool = temperature, pool

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return (self.overlap(student) - self.overlap(teacher)).square().mean()

    def overlap(self, logits: Tensor) -> Tensor:
        """Overlap of every two classes, `(B, C, C)`; one where both are spread evenly."""
        maps = class_logits(self.task, logits)
        cell = [min(self.pool, n) for n in maps.shape[2:]]
        p = (_POOLS[len(cell)](maps, cell).flatten(2) / self.temperature).softmax(dim=2)
        return p @ p.transpose(1, 2) * p.shape[2]
