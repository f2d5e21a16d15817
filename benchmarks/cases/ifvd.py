"""IFVD as its authors and CIRKD's benchmark compute it; their weights are outside the recorded values."""

from __future__ import annotations

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods.released.ifvd import ReleasedIFVD
from segdistill.tasks import Multiclass


def released(case: Case, labels: str) -> Tensor:
    """Ignored pixels stay in the mean: no multiple of our canonical form, unless all images ignore as many."""
    classes = tuple(f"class {n}" for n in range(case.args["classes"]))
    return case.run(
        ReleasedIFVD(taps="f", weight=1.0),
        {"f": case["featr_s"]},
        {"f": case["featr_t"]},
        mask=case[labels],
        task=Multiclass(classes, ignore_index=case.args["ignore"]),
    )


CASES: dict[str, Compute] = {
    "ifvd/official": lambda case: released(case, "labels"),
    "ifvd/cirkd": lambda case: released(case, "labels_m1"),
}
