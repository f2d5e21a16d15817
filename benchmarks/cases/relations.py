"""Relations between images and between channels: SP, PKT, RKD, ICKD."""

from __future__ import annotations

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods import ICKD, PKT, RKD, SP, Method


def features(case: Case, method: Method) -> Tensor:
    return case.run(method, {"f": case["feat_s"]}, {"f": case["feat_t"]})


def embeddings(case: Case, method: Method) -> Tensor:
    """A recorded embedding is a map of one position."""
    return case.run(method, {"f": case["emb_s"][:, :, None, None]}, {"f": case["emb_t"][:, :, None, None]})


def sp(case: Case) -> Tensor:
    """Mean over the entries of a row too."""
    return features(case, SP("f", weight=1 / len(case["feat_s"])))


def pkt(case: Case) -> Tensor:
    """Mean over the entries of a row too."""
    return embeddings(case, PKT("f", weight=1 / len(case["emb_s"])))


def rkd(case: Case) -> Tensor:
    """Means over all pairs and triplets, those of an image with itself included."""
    n = len(case["emb_s"])
    distance = case.args["distance_weight"] * (n - 1) / n
    angle = case.args["angle_weight"] * (n - 1) * (n - 2) / n**2
    return embeddings(case, RKD("f", distance=distance, angle=angle))


CASES: dict[str, Compute] = {
    "sp/mdistiller": sp,
    "pkt/mdistiller": pkt,
    "rkd/mdistiller": rkd,
    "ickd/batch_loss_noembed": lambda case: features(case, ICKD("f")),
}
