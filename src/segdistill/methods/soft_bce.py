"""Binary cross-entropy with soft labels."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from segdistill.methods.base import PairMethod
from segdistill.methods.parts.limits import check_positive
from segdistill.methods.traits import Traits


class SoftBCE(PairMethod):
    r"""Take the teacher's softened probabilities as labels.

    $$T^2 \; \mathrm{mean} \; \mathrm{BCE}\big(\sigma(z^s / T), \, \sigma(z^t / T)\big)$$

    The mean is over images, channels and pixels. The gradient is that of `KD`, whose value is smaller by the teacher's
    entropy. So this value is no distance: where the student equals the teacher it has its minimum, $T^2$ times the mean
    entropy, and no gradient.

    The MobileNet polyp project weights it by $1 - \alpha$, and its supervised loss by $\alpha$, with $\alpha = 0.6$ and
    $T = 4$: that is `weight=0.4` here, with 0.6 for the supervised loss. Its README speaks of an MSE of logits instead,
    which is `LogitMSE`.

    Args:
        temperature: $T$, softness of the probabilities.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature is not positive.
    """

    paper = "Hinton et al., Distilling the Knowledge in a Neural Network, 2015 (arXiv 1503.02531)"
    traits = Traits(
        tasks=("Binary", "Multilabel"),
        reason="the classes of a softmax are not independent; use KD",
        zero=False,
    )

    def __init__(self, temperature: float = 4.0, weight: float = 1.0) -> None:
        super().__init__("logits", weight)
        check_positive("SoftBCE", temperature=temperature)
        self.temperature = temperature

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        labels = (teacher / self.temperature).sigmoid()
        return F.binary_cross_entropy_with_logits(student / self.temperature, labels) * self.temperature**2
