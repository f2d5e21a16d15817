"""Logit standardisation, as the authors apply it to rows of classes."""

from __future__ import annotations

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods import LSKD


def canonical(case: Case) -> Tensor:
    method = LSKD(temperature=case.args["temperature"])
    return case.run(method, {"logits": case["logits_s"]}, {"logits": case["logits_t"]})


CASES: dict[str, Compute] = {"kd/logit_standardised_T2_rows": canonical}
