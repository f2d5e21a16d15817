"""DIST, as its segmentation code flattens pixels to rows."""

from __future__ import annotations

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods import DIST


def canonical(case: Case) -> Tensor:
    args = case.args
    method = DIST(beta=args["beta"], gamma=args["gamma"], temperature=args.get("tau", 1.0))
    return case.run(method, {"logits": case["logits_s"]}, {"logits": case["logits_t"]})


CASES: dict[str, Compute] = {"dist/official_seg": canonical, "dist/official_seg_b2_g0.5": canonical}
