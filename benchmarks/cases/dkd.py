"""DKD: both code bases compute the canonical form, once pixels are rows."""

from __future__ import annotations

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods import DKD


def canonical(case: Case) -> Tensor:
    args = case.args
    temperature = args["temperature"] if "temperature" in args else args["tau"]
    method = DKD(alpha=args["alpha"], beta=args["beta"], temperature=temperature)
    student, teacher = {"logits": case["logits5_s"]}, {"logits": case["logits5_t"]}
    return case.run(method, student, teacher, mask=case["labels5"])


CASES: dict[str, Compute] = {
    "dkd/mdistiller_rows_a1_b8_T4": canonical,
    "dkd/mmrazor_rows_a1_b1_T1": canonical,
}
