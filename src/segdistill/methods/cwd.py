"""Channel-wise distillation: where a channel looks."""

from __future__ import annotations

from torch import Tensor, nn

from segdistill.core import Output
from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.divergence import kl
from segdistill.methods.parts.limits import check_positive
from segdistill.methods.parts.positions import check_positions
from segdistill.tasks import Task


class CWD(PairMethod):
    r"""Match where each channel has its mass: a softmax over the positions, one distribution per channel.

    $$T^2 \; \underset{n,c}{\mathrm{mean}} \; \mathrm{KL}\big(\phi^t_{nc} \,\|\, \phi^s_{nc}\big), \qquad
    \phi_{nc} = \mathrm{softmax}_i(f_{nci} / T)$$

    On logits every channel is a class; on features a trained 1x1 projection brings other channels to the teacher's.
    Since each distribution is over the positions of one image, a peak counts and a flat background hardly does, and a
    constant added to a channel is not seen: the loss places a class, but cannot say how likely it is.

    The value is a mean over images and channels and does not change where an image is tiled. The authors' weights are
    `weight` here: 3 on logits and 50 on features, at temperature 4. CIRKD divides by the student's channels before the
    projection: its weight $w$ is `weight = w * C_teacher / C_student`. Cross-entropy in place of the divergence
    (mmseg-distiller) shifts the value, not the gradient. The authors' option "spatial" is `KD`.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        temperature: $T$, softness of the distributions.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature is not positive, or (in `build`) a tap has a single position.
    """

    paper = (
        "Shu et al., Channel-wise Knowledge Distillation for Dense Prediction, ICCV 2021 (arXiv 2011.13256)"
    )
    adapts = True

    def __init__(self, taps: Taps = "logits", temperature: float = 4.0, weight: float = 1.0) -> None:
        super().__init__(taps, weight)
        check_positive("CWD", temperature=temperature)
        self.temperature = temperature

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        for tap in self.pairs:
            check_positions("CWD", tap, student[tap])

    def adapter(self, student: Tensor, teacher: Tensor) -> nn.Module:
        # Channels that agree are compared as they are: a projection could learn to undo what logits mean.
        return nn.Identity() if student.shape[1] == teacher.shape[1] else super().adapter(student, teacher)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = self.attention(student), self.attention(teacher)
        return kl(s, t, dim=2).mean() * self.temperature**2

    def attention(self, feature: Tensor) -> Tensor:
        """Logarithm of each channel's distribution, `(B, C, positions)`."""
        return (feature.flatten(2) / self.temperature).log_softmax(dim=2)
