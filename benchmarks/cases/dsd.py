"""DSD's two terms as CIRKD's benchmark computes them; its weights are outside the recorded values."""

from __future__ import annotations

from math import prod

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods import CSD, PSD


def psd(case: Case) -> Tensor:
    """Three levels of one size; mean over positions, where ours is the sum."""
    student, teacher = (levels(case, side) for side in "st")
    return case.run(PSD(taps=["some", "all"]), student, teacher) / case["featr_s"][0, 0].numel()


def levels(case: Case, side: str) -> dict[str, Tensor]:
    """The maps named in the arguments: `featr[:, :16]`, `featr` and `logits`."""
    feature, channels = case[f"featr_{side}"], int(case.args["levels"][0].split(":")[-1].rstrip("]"))
    return {"some": feature[:, :channels], "all": feature, "logits": case[f"logits_{side}"]}


def csd(case: Case) -> Tensor:
    """Sums of products of probabilities, where ours are the means of products of densities."""
    pool = case.args["pool"]
    cells = prod(n // pool for n in case["logits_s"].shape[2:])
    method = CSD(temperature=case.args["tau"], pool=pool)
    return case.run(method, {"logits": case["logits_s"]}, {"logits": case["logits_t"]}) / cells**2


CASES: dict[str, Compute] = {"dsd/psd": psd, "dsd/csd": csd}
