"""SKD's pixel-wise term: cross-entropy to the teacher's probabilities, divided by the positions only."""

from __future__ import annotations

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods import KD


def cross_entropy(case: Case) -> Tensor:
    """The divergence plus what does not depend on the student, the teacher's entropy; summed over images."""
    teacher = case["logits_t"]
    divergence = case.run(KD(), {"logits": case["logits_s"]}, {"logits": teacher})
    entropy = -(teacher.softmax(dim=1) * teacher.log_softmax(dim=1)).sum(dim=1).mean()
    return (divergence + entropy) * len(teacher)


CASES: dict[str, Compute] = {"kd/skd_pixelwise_ce": cross_entropy}
