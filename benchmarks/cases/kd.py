"""KD: the canonical form, and what other code bases make of it."""

from __future__ import annotations

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods import KD


def canonical(case: Case) -> Tensor:
    """Mean over pixels of the divergence, times the squared temperature."""
    method = KD(temperature=case.args.get("temperature", case.args.get("tau", 1.0)))
    return case.run(method, {"logits": case["logits_s"]}, {"logits": case["logits_t"]})


def over_elements(case: Case) -> Tensor:
    """Mean over classes too, and no squared temperature."""
    return canonical(case) / case["logits_s"].shape[1] / case.args["temperature"] ** 2


def over_images(case: Case) -> Tensor:
    """Sum over pixels."""
    return canonical(case) * case["logits_s"][0, 0].numel()


CASES: dict[str, Compute] = {
    "kd/cirkd_T1": canonical,
    "kd/cirkd_T4": canonical,
    "kd/mdistiller_T1": canonical,
    "kd/mdistiller_T4": canonical,
    "kd/seed002_stored_klmean_T1": over_elements,
    "kd/ifvd_klmean_T1": over_elements,
    "kd/ifvd_klmean_T4": over_elements,
    "kd/torchdistill_batchmean_T4": lambda case: over_images(case) / case.args["temperature"] ** 2,
    "kd/mmrazor_kl_batchmean_T4": over_images,
    "aicsd/pi_lambda10": lambda case: case.args["pi_lambda"] * over_elements(case),
}
