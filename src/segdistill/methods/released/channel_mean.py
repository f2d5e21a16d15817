"""What CWD's code offers as a norm of the mean."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.traits import Traits


class ChannelMean(PairMethod, listed=False):
    r"""Match the mean of every channel.

    $$\underset{n,c}{\mathrm{mean}} \big(\mathrm{mean}_i f^s_{nci} - \mathrm{mean}_i f^t_{nci}\big)^2$$

    The code of `CWD` has it as `norm_type="channel_mean"` with a squared distance. What is odd: it goes by the name of
    channel-wise distributions, but all positions are averaged away, so it says how much of a channel there is and
    nothing about where. It has no temperature.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = "Shu et al., Channel-wise Knowledge Distillation for Dense Prediction, ICCV 2021, as released"
    traits = Traits("features")

    def __init__(self, taps: Taps = "high", weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return (student.flatten(2).mean(dim=2) - teacher.flatten(2).mean(dim=2)).square().mean()
