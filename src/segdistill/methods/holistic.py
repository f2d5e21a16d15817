"""Adversarial distillation of whole maps."""

from __future__ import annotations

from torch import Tensor
from torch.optim import Adam, Optimizer

from segdistill.core import Output
from segdistill.methods.base import PairMethod
from segdistill.methods.parts.adapters import match_size
from segdistill.methods.parts.discriminator import LEAST, Discriminator, slope_penalty
from segdistill.methods.parts.limits import check_count, check_positive
from segdistill.methods.traits import Traits
from segdistill.taps import LOGITS
from segdistill.tasks import Task


class Holistic(PairMethod):
    r"""Make the student's logit maps as a whole indistinguishable from the teacher's (SKD's holistic term).

    A discriminator $D$ learns to score the teacher's maps high and the student's low, and the student learns to be
    scored high:

    $$L = -\,\underset{n}{\mathrm{mean}} \; D(z^s_n), \qquad
    L_D = \underset{n}{\mathrm{mean}} \big[ D(z^s_n) - D(z^t_n) + \lambda (\|\nabla D(\hat z_n)\| - 1)^2 \big]$$

    a Wasserstein GAN whose slope is held near 1 at a random point $\hat z_n$ between both maps. $D$ takes a step of
    its own after every step of the student, at a learning rate that follows the training's schedule. Only differences
    of $L$ have a meaning, and it may be negative.

    All maps are brought to `size` per edge first, and the slope $\|\nabla\| = \sqrt{N} \, \|\nabla\|_2$ is that against
    the root-mean-square distance of maps of $N$ entries. So $D$ estimates how far apart the two networks' maps are, in
    units of a logit, at every resolution and for any number of classes. The authors' slope is $\|\nabla\|_2$ on maps
    of $N = 65^2 C$ entries, which makes their $D$ larger by $\sqrt{N}$: a published weight $w$ is
    `weight = w * N**0.5` here, 28 for $w = 0.1$ on Cityscapes. They scale $D$'s first two terms by $w$ too, so their
    penalty of 10 is `penalty = 10 / (w * N**0.5)`.

    The authors move $D$ by SGD (momentum 0.9, weight decay 5e-4); this is Adam with $\beta = (0, 0.9)$ at their rate,
    as Wasserstein GANs are usually trained. Their $D$ begins with a batch norm, under which an image's slope depends
    on the other images; it is left out. The paper shows $D$ the image too; the authors' code does not, nor does this.

    Args:
        weight: Factor in the total loss.
        penalty: $\lambda$, how strictly the discriminator's slope is held.
        critic_lr: Peak learning rate of the discriminator.
        size: Positions per edge of the maps that the discriminator sees, at least 64; the authors' are 65.
        width: Channels of the discriminator's first convolution; the fourth has eight times as many. The authors' 64
            costs four times as much as 32.

    Raises:
        SegDistillError: If an argument is not positive, or the size less than 64.
    """

    paper = "Liu et al., Structured Knowledge Distillation for Semantic Segmentation, CVPR 2019 (arXiv 1903.04197)"
    traits = Traits("adversarial", zero=False, tiles=False)

    def __init__(
        self,
        weight: float = 0.1,
        penalty: float = 10.0,
        critic_lr: float = 4e-4,
        size: int = 64,
        width: int = 32,
    ) -> None:
        super().__init__(LOGITS, weight)
        check_positive("Holistic", penalty=penalty, critic_lr=critic_lr)
        check_count("Holistic", width=width)
        check_count("Holistic", LEAST, size=size)
        self.penalty, self.critic_lr, self.size, self.width = penalty, critic_lr, size, width
        self.seen: tuple[Tensor, Tensor] | None = None

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        classes, dimensions = student.logits.shape[1], student.logits.ndim - 2
        self.critic = Discriminator(classes, dimensions=dimensions, width=self.width).requires_grad_(False)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        mine, theirs = (match_size(x, [self.size] * (x.ndim - 2)) for x in (student, teacher))
        self.seen = mine.detach(), theirs
        # Spectral norms are estimated in training mode only: here they are as the critic's last step left them.
        scores: Tensor = self.critic.eval()(mine)
        return -scores.mean()

    def auxiliary_optimizer(self) -> Optimizer:
        return Adam(self.critic.parameters(), lr=self.critic_lr, betas=(0.0, 0.9))

    def auxiliary_losses(self) -> dict[str, Tensor]:
        if self.seen is None:
            return {}
        mine, theirs = self.seen
        critic = self.critic.train()
        return {
            "Holistic/critic": critic(mine).mean() - critic(theirs).mean(),
            "Holistic/penalty": self.penalty * slope_penalty(critic, mine, theirs),
        }
