"""Attention transfer."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.energy import energy_map
from segdistill.methods.parts.limits import check_at_least
from segdistill.methods.traits import Traits


class AT(PairMethod):
    r"""Match where a feature has its energy, whatever its channels.

    With $q = \mathrm{flatten}(\mathrm{mean}_c |f_c|^p)$ of unit length per image: mean over images of
    $\sum_i (q^s_i - q^t_i)^2$. The authors' code takes the mean over positions too, which makes the value fall with
    resolution; a published weight $w$ for a map of $HW$ positions is `weight = w / HW` here.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        power: $p$.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the power is less than 1.
    """

    paper = "Zagoruyko and Komodakis, Paying More Attention to Attention, ICLR 2017"
    traits = Traits("features")

    def __init__(self, taps: Taps = "high", power: float = 2.0, weight: float = 1.0) -> None:
        super().__init__(taps, weight)
        check_at_least("AT", 1, power=power)  # below 1 the slope at zero is infinite
        self.power = power

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = (energy_map(feature, self.power) for feature in (student, teacher))
        return (s - t).square().sum(dim=1).mean()
