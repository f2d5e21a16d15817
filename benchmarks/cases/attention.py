"""AT and its relatives, AttnFD."""

from __future__ import annotations

from torch import Tensor, nn

from benchmarks.cases.case import Case, Compute
from segdistill.methods import AT, Method
from segdistill.methods.parts.cbam import CBAM
from segdistill.methods.released.at import UnsquaredAT
from segdistill.methods.released.attn_fd import AttnFDReleased


def over_positions(case: Case) -> Tensor:
    """The authors take the mean over positions, where ours is the sum."""
    positions = case["feat_s"][0, 0].numel()
    return _run(case, AT(taps="f", power=case.args["p"])) / positions


def _run(case: Case, method: Method) -> Tensor:
    return case.run(method, {"f": case["feat_s"]}, {"f": case["feat_t"]})


def attn_fd(case: Case) -> Tensor:
    """Recorded behind the attention, with an identity as connector."""
    channels = int("".join(filter(str.isdigit, case.args["featr"])))  # "first 12 channels"

    def refined(side: str) -> dict[str, Tensor]:
        return {
            "high": case[f"hi_{side}"],
            "low": case[f"lo_{side}"],
            "other": case[f"featr_{side}"][:, :channels],
        }

    def load(method: AttnFDReleased) -> None:
        for tap in method.taps:
            method.attentions[tap] = nn.Identity()
            method.adapters[tap][0] = nn.Identity()  # type: ignore[index]
            nn.init.dirac_(method.adapters[tap][1].weight)  # type: ignore[index]

    method = AttnFDReleased(taps=list(refined("s")), weight=case.args["attn_lambda"])
    return case.run(method, refined("s"), refined("t"), load=load)


def cbam(case: Case) -> Tensor:
    """A recorded module's output, in the direction of the teacher's feature."""
    names = {
        "channel.0.weight": "ChannelGate.mlp.1.weight",
        "channel.0.bias": "ChannelGate.mlp.1.bias",
        "channel.2.weight": "ChannelGate.mlp.3.weight",
        "channel.2.bias": "ChannelGate.mlp.3.bias",
        "spatial.0.weight": "SpatialGate.spatial.conv.weight",
        "spatial.1.weight": "SpatialGate.spatial.bn.weight",
        "spatial.1.bias": "SpatialGate.spatial.bn.bias",
    }
    weights = {ours: case[f"cbam__{theirs}"] for ours, theirs in names.items()}
    module = CBAM(case["featr_s"].shape[1], len(weights["channel.0.bias"]))
    module.load_state_dict(weights, strict=False)  # the batch norm's running statistics are not recorded
    return (module(case["featr_s"]) * case["featr_t"]).mean()


CASES: dict[str, Compute] = {
    "at/official": over_positions,
    "at/cirkd": over_positions,
    "at/mdistiller_p2": over_positions,
    "at/torchdistill_paper": lambda case: _run(case, UnsquaredAT(taps="f")),
    "attnfd/distill_identity_connector_lambda2": attn_fd,
    "attnfd/cbam_forward_dot_teacher": cbam,
}
