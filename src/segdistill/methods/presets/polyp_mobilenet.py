"""The MobileNet polyp project."""

from __future__ import annotations

from segdistill.core import SegDistillError
from segdistill.methods.base import Method
from segdistill.methods.logit_mse import LogitMSE
from segdistill.methods.parts.limits import check_finite, check_positive
from segdistill.methods.presets.preset import Preset, with_task_weight
from segdistill.methods.soft_bce import SoftBCE


def _paper(alpha: float = 0.6, temperature: float = 4.0) -> Method:
    _check(alpha, temperature)  # T² mean((s/T - t/T)²) is mean((s - t)²): the temperature cancels out
    return with_task_weight(LogitMSE(weight=1 - alpha), alpha)


def _released(alpha: float = 0.6, temperature: float = 4.0) -> Method:
    _check(alpha, temperature)
    return with_task_weight(SoftBCE(temperature, weight=1 - alpha), alpha)


def _check(alpha: float, temperature: float) -> None:
    check_finite("polyp-mobilenet", alpha=alpha)
    if not 0 <= alpha < 1:
        raise SegDistillError(
            f"alpha is the share of the labels: at least 0, and less than 1, which would be the baseline; got {alpha}."
        )
    check_positive("polyp-mobilenet", temperature=temperature)


PRESET = Preset(
    name="polyp-mobilenet",
    about="The teacher's logits (0.4 of the loss), against 0.6 for the labels; `alpha` and `temperature` set both.",
    source="README and code at EifelLN/mobilenet_polyp_segmentation, after Hinton et al., 2015 (arXiv 1503.02531)",
    differences=(
        "There is no paper. `paper` is what the README says: a mean squared error of logits at a temperature; it "
        "cancels out with a factor of its square, as is usual; the README does not say. `as_released` is what the code "
        "computes and the results come from: binary cross-entropy with the teacher's probabilities at temperature 4, "
        "times 16."
    ),
    paper=_paper,
    released=_released,
)
