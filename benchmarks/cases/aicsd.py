"""AICSD's terms: as the paper has them, and as the code does. Its pixel term is in the table of KD."""

from __future__ import annotations

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods import ICKD, ICSD, Method
from segdistill.methods.released.aicsd import ReleasedICSD


def on_logits(case: Case, method: Method) -> Tensor:
    return case.run(method, {"logits": case["logits_s"]}, {"logits": case["logits_t"]})


CASES: dict[str, Compute] = {
    "aicsd/ics_paper_intent_OWNCODE": lambda case: on_logits(case, ICSD()),
    "aicsd/lo_lambda9500_AS_CODED": lambda case: on_logits(case, ReleasedICSD(weight=case.args["lo_lambda"])),
    "aicsd/ic_lambda1": lambda case: on_logits(case, ICKD(taps="logits", weight=case.args["ic_lambda"])),
}
