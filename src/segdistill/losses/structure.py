"""The structure losses of polyp segmentation: three that go by one name."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from segdistill.core import SegDistillError
from segdistill.losses.base import Loss, mean_over_valid
from segdistill.tasks import Multiclass, Task


class _Structure(Loss):
    """What the variants share: pixels near an edge weigh more, in a pixel term and an overlap term."""

    fractions = True

    def __init__(self, window: int = 31, gain: float = 5.0) -> None:
        super().__init__()
        name = type(self).__name__
        if window < 1 or window % 2 == 0:
            raise SegDistillError(f"{name} needs an odd window of at least 1 pixel, got {window}.")
        if gain < 0:
            raise SegDistillError(f"{name} needs a gain of at least 0, got {gain}.")
        self.window, self.gain = window, gain

    def per_image(self, logits: Tensor, mask: Tensor, task: Task) -> Tensor:
        if isinstance(task, Multiclass):
            name = type(self).__name__
            raise SegDistillError(
                f"{name} needs a Binary or Multilabel task. For Multiclass take CE or DiceCE."
            )
        truth, valid = task.targets(mask), task.valid(mask)
        edge = (local_mean(truth, self.window) - truth).abs()
        weight = (1 + self.gain * edge) * valid
        bce = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        return self.pixels(bce, weight, valid) + self.overlap(logits.sigmoid(), truth, weight)

    def pixels(self, bce: Tensor, weight: Tensor, valid: Tensor) -> Tensor:
        """The pixel term per image."""
        return weighted_mean(bce, weight).mean(dim=1)

    def overlap(self, probs: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
        """The overlap term per image: one minus the ratio of weighted sums."""
        both = (weight * probs * truth).flatten(2).sum(dim=2)
        either = (weight * (probs + truth)).flatten(2).sum(dim=2) - both
        return (1 - (both + 1) / (either + 1)).mean(dim=1)


class Structure(_Structure):
    r"""Cross-entropy and intersection over union, both weighted towards edges.

    $$\frac{\sum_i w_i \, \mathrm{BCE}_i}{\sum_i w_i} + 1 -
    \frac{\sum_i w_i p_i g_i + 1}{\sum_i w_i (p_i + g_i - p_i g_i) + 1}, \qquad
    w_i = 1 + 5 \, \Big| \underset{31 \times 31}{\mathrm{mean}} \, g - g_i \Big|$$

    per image and channel. This is the loss of the papers (F3Net, PraNet, Polyp-PVT); what their code computes is
    `StructureAsReleased`, and UACANet's is `StructureUACANet`. Beyond the image's border, and where labels are ignored,
    the windows see background.

    Args:
        window: Side of the windows, in pixels of the labels; odd.
        gain: How much more an edge weighs than a plain place.

    Raises:
        SegDistillError: If the window is even, the gain negative, or (when called) the task has a softmax.
    """

    paper = "Wei et al., F3Net: Fusion, Feedback and Focus for Salient Object Detection, AAAI 2020 (arXiv 1911.11445)"


class StructureAsReleased(_Structure):
    r"""The structure loss as the code of PraNet, Polyp-PVT, HSNet and KDAS has it: the cross-entropy has no weights.

    $$\underset{i}{\mathrm{mean}} \, \mathrm{BCE}_i + 1 -
    \frac{\sum_i w_i p_i g_i + 1}{\sum_i w_i (p_i + g_i - p_i g_i) + 1}$$

    with the weights of `Structure`. The code asks for `reduce='none'`, an outdated flag, of which any text means yes:
    the cross-entropy is averaged over the whole batch before it meets its weights, and these cancel. The images of a
    batch have one size there, and no pixel is ignored: then that average is the mean of the images' own, as here.

    Args:
        window: Side of the windows, in pixels of the labels; odd.
        gain: How much more an edge weighs than a plain place.

    Raises:
        SegDistillError: If the window is even, the gain negative, or (when called) the task has a softmax.
    """

    paper = Structure.paper + ", code as released"

    def pixels(self, bce: Tensor, weight: Tensor, valid: Tensor) -> Tensor:
        return mean_over_valid(bce, valid)


class StructureUACANet(_Structure):
    r"""UACANet's structure loss: the intersection over union is taken per pixel, then averaged with the weights.

    $$\frac{\sum_i w_i \, (\mathrm{BCE}_i + 1 - \frac{p_i g_i + 1}{p_i + g_i - p_i g_i + 1})}{\sum_i w_i}$$

    with the weights of `Structure`.

    Args:
        window: Side of the windows, in pixels of the labels; odd.
        gain: How much more an edge weighs than a plain place.

    Raises:
        SegDistillError: If the window is even, the gain negative, or (when called) the task has a softmax.
    """

    paper = (
        "Kim et al., UACANet: Uncertainty Augmented Context Attention for Polyp Segmentation, ACM MM 2021 "
        "(arXiv 2107.02368)"
    )

    def overlap(self, probs: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
        both = probs * truth
        return weighted_mean(1 - (both + 1) / (probs + truth - both + 1), weight).mean(dim=1)


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean per image and channel, `(B, C)`; 0 where nothing weighs anything."""
    total = weight.flatten(2).sum(dim=2)
    # Every pixel that counts weighs at least one.
    return (values * weight).flatten(2).sum(dim=2) / total.clamp(min=1)


def local_mean(x: Tensor, window: int) -> Tensor:
    """Mean over the window around every position of `(B, C, *spatial)`; zeros lie beyond the border."""
    shape = x.shape
    for axis in range(2, x.ndim):  # one axis after the other: ten times as fast as all at once
        rows = x.reshape(-1, shape[axis], shape[axis + 1 :].numel())
        x = F.avg_pool2d(rows, (window, 1), stride=1, padding=(window // 2, 0))
    return x.reshape(shape)
