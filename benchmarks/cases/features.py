"""Feature regression and its relatives: FitNet, OFD, ReviewKD, MGD, MasKD, PKD, VID, NST."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods import MGD, NST, OFD, PKD, VID, FitNet, MasKD, Method
from segdistill.methods.parts.hcl import hierarchical_mse


def _run(case: Case, method: Method, name: str = "feat", theirs: str = "feat", **options: object) -> Tensor:
    return case.run(method, {"f": case[f"{name}_s"]}, {"f": case[f"{theirs}_t"]}, **options)  # type: ignore[arg-type]


def _project(case: Case) -> object:
    """What puts the recorded projection into a built method."""
    return lambda method: method.adapters["f"].project.weight.data.copy_(case["proj_w"])


def ofd(case: Case) -> Tensor:
    """Sum over elements, one margin for all channels."""

    def load(method: OFD) -> None:
        method.floors["f"].margin.fill_(case.args["margin"])

    return _run(case, OFD(taps="f"), load=load) * case["feat_s"].numel()


def hcl(case: Case) -> Tensor:
    """Sum over the stages, without fusion."""
    levels = case.args["levels"]
    return sum(
        (hierarchical_mse(case[f"{tap}_s"], case[f"{tap}_t"], levels) for tap in ("hi", "lo")),
        start=torch.zeros(()),
    )


def mgd(case: Case) -> Tensor:
    """Sum over elements, divided by the images."""

    def load(method: MGD) -> None:
        generation = method.adapters["f"]
        prefix = "mgd__generation."
        weights = {n.removeprefix(prefix): t for n, t in case.tensors.items() if n.startswith(prefix)}
        generation.generate.load_state_dict(weights)
        generation.mask = lambda feature: case["mgd_mat"]

    method = MGD(taps="f", masked=case.args["lambda_mgd"], weight=case.args["alpha_mgd"])
    return _run(case, method, load=load) * case["feat_t"][0].numel()


def maskd(case: Case) -> Tensor:
    """With a factor of a half."""

    def load(method: MasKD) -> None:
        method.tokens["f"].weight.copy_(case["mask_token"])

    return _run(case, MasKD(taps="f", tokens=case.args["num_tokens"]), "featr", "featr", load=load) / 2


def pkd(case: Case) -> Tensor:
    """With the unbiased deviation."""
    count = case["feat_s"][:, 0].numel()
    return _run(case, PKD(taps="f")) * (count - 1) / count


CASES: dict[str, Compute] = {
    "fitnet/cirkd_proj16to32": lambda case: _run(case, FitNet(taps="f"), "feat16", load=_project(case)),
    "ofd/loss_margin": ofd,
    "reviewkd/hcl": hcl,
    "mgd/feature_loss": mgd,
    "maskd/loss_fixed_tokens": maskd,
    "pkd/mmrazor": pkd,
    "vid/mdistiller_linear_regressor": lambda case: _run(
        case,
        VID(taps="f", variance=case.args["init_pred_var"]),
        "feat16",
        load=_project(case),
    ),
    "nst/mdistiller": lambda case: _run(case, NST(taps="f")),
}
