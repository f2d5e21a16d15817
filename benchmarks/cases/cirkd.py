"""Cross-image relations: the mini-batch term, the memory terms against a recorded draw, and the channel terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.cases.case import Case, Compute, output
from segdistill.methods import CIRKD, CIRKDChannel, CIRKDMemory
from segdistill.tasks import Multiclass


def mini_batch(case: Case) -> Tensor:
    method = CIRKD("f", temperature=case.args["temperature"])
    return case.run(method, {"f": case["feat_s"]}, {"f": case["feat_t"]})


def projection(case: Case, prefix: str) -> Callable[[Any], None]:
    """Puts the recorded weights into the built method's projector."""

    @torch.no_grad()
    def load(method: Any) -> None:
        projector = method.adapters["f"]
        projector[0].weight.copy_(case[f"{prefix}_w0"])
        projector[3].weight.copy_(case[f"{prefix}_w3"])

    return load


def remembered(contrast: str) -> Compute:
    def compute(case: Case) -> Tensor:
        softness = case.args["contrast_kd_temperature"]
        method = CIRKDMemory("f", temperature=case.args["contrast_temperature"] * softness)
        student, teacher = output({"f": case["featr_s"]}), output({"f": case["featr_t"]})
        task = Multiclass(tuple(map(str, range(case.args["num_classes"]))), case.args["ignore_label"])
        method.build(student, teacher, task)
        projection(case, "mem")(method)
        # The original takes every label's nearest neighbour.
        mask = F.interpolate(case["labels_m1"][:, None].float(), student["f"].shape[2:])[:, 0].long()
        pair = method.aligned("f", student["f"], teacher["f"])
        return method.compare_with(case[contrast], *pair, mask) * softness**2

    return compute


def channels(case: Case, **factors: float) -> Tensor:
    temperature = case.args.get("contrast_temperature", 0.1)
    method = CIRKDChannel("f", temperature=temperature, pool=4, **factors)
    pair = {"f": case["featr_s"]}, {"f": case["featr_t"]}
    return case.run(method, *pair, load=projection(case, "chan"))


def channel_regression(case: Case) -> Tensor:
    """Mean over cells of 4 x 4 positions too."""
    cells = F.avg_pool2d(case["featr_s"], 4, ceil_mode=True)[0, 0].numel()
    return channels(case, relation=0, regression=1 / cells)


CASES: dict[str, Compute] = {
    "cirkd/minibatch_tau0.1": mini_batch,
    "cirkd/minibatch_tau1": mini_batch,
    "cirkd/memory_pixel": remembered("mem_pixel_contrast"),
    "cirkd/memory_region": remembered("mem_region_contrast"),
    "cirkd2/channel_minibatch": lambda case: channels(case, relation=1, regression=0),
    "cirkd2/channel_mse": channel_regression,
}
