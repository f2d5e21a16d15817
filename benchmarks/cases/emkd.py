"""EMKD's three terms: KD, AT to the fourth power, and RAD."""

from __future__ import annotations

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods import AT, KD, RAD


def pmd(case: Case) -> Tensor:
    """KD, divided by the number of rows of two classes, however many classes there are."""
    student = case["logits2_s"]
    found = case.run(KD(temperature=case.args["T"]), {"logits": student}, {"logits": case["logits2_t"]})
    return found * 2 / student.shape[1]


def imd(case: Case) -> Tensor:
    """Attention to the fourth power; a sum over positions, as ours."""
    return case.run(AT(taps="f", power=case.args["exp"]), {"f": case["feat_s"]}, {"f": case["feat_t"]})


def rad(case: Case) -> Tensor:
    """With two regions; the one added to the foreground's count cancels in the cosine."""
    mask = case["mask_onehot"].argmax(dim=1)
    return case.run(RAD(taps="f"), {"f": case["featr_s"]}, {"f": case["featr_t"]}, mask=mask)


CASES: dict[str, Compute] = {"emkd/pmd_T4": pmd, "emkd/imd_p4": imd, "emkd/rad": rad}
