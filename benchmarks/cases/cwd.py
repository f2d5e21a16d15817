"""CWD: the canonical form, and what other code bases make of it."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from benchmarks.cases.case import Case, Compute
from segdistill.methods import CWD, KD
from segdistill.methods.released.channel_mean import ChannelMean


def method(case: Case, taps: str = "logits") -> CWD:
    """Ours, with the original's temperature."""
    return CWD(taps, temperature=case.args["temperature"] if "temperature" in case.args else case.args["tau"])


def on_logits(case: Case) -> Tensor:
    return case.run(method(case), {"logits": case["logits_s"]}, {"logits": case["logits_t"]})


def on_features(case: Case) -> Tensor:
    return case.run(method(case, "f"), {"f": case["feat_s"]}, {"f": case["feat_t"]})


def over_classes(case: Case) -> Tensor:
    """With a softmax over the classes it is KD."""
    kd = KD(temperature=case.args["temperature"])
    return case.run(kd, {"logits": case["logits_s"]}, {"logits": case["logits_t"]})


def of_means(case: Case) -> Tensor:
    return case.run(ChannelMean("f"), {"f": case["feat_s"]}, {"f": case["feat_t"]})


def cross_entropy(case: Case) -> Tensor:
    """The divergence plus what does not depend on the student, the teacher's entropy."""
    tau = case.args["tau"]
    teacher = (case["logits_t"] / tau).flatten(2)
    entropy = -(teacher.softmax(dim=2) * teacher.log_softmax(dim=2)).sum(dim=2).mean()
    return case.args["weight"] * (on_logits(case) + entropy * tau**2)


def projected(case: Case) -> Tensor:
    """CIRKD divides by the student's channels before the projection."""

    def load(built: Any) -> None:
        built.adapters["f"].project.weight = nn.Parameter(case["proj_w"])

    student, teacher = case["feat16_s"], case["feat_t"]
    value = case.run(method(case, "f"), {"f": student}, {"f": teacher}, load=load)
    return value * teacher.shape[1] / student.shape[1]


CASES: dict[str, Compute] = {
    "cwd/official_channel_kl_T1": on_logits,
    "cwd/official_channel_kl_T4": on_logits,
    "cwd/official_feat_channel_kl_T4": on_features,
    "cwd/official_spatial_kl_T1": over_classes,
    "cwd/official_channelmean_mse": of_means,
    "cwd/mmrazor_tau1_w5": lambda case: case.args["loss_weight"] * on_logits(case),
    "cwd/mmsegdistiller_tau1_w5_CE": cross_entropy,
    "cwd/cirkd_proj16to32_T4": projected,
}
