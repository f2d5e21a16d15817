"""Pair-wise terms: structured distillation's own, CIRKD's, and those of the DeepLabV3+ project."""

from __future__ import annotations

from torch import Tensor

from benchmarks.cases.case import Case, Compute
from segdistill.methods import AT, Method, PairWise
from segdistill.methods.released.pair_wise import PairWisePublished
from segdistill.methods.released.seed002 import ColumnAttention


def between(case: Case, name: str, method: Method) -> Tensor:
    return case.run(method, {"f": case[f"{name}_s"]}, {"f": case[f"{name}_t"]})


def held_constant(name: str) -> Compute:
    return lambda case: between(case, name, PairWisePublished("f", scale=case.args["scale"]))


def pair_term(case: Case) -> Tensor:
    return between(
        case, "fpre4", PairWisePublished("f", case.args.get("scale", 0.5), weight=case.args["pa_lambda"])
    )


def attention_term(case: Case) -> Tensor:
    return between(case, "fpre5", ColumnAttention("f", weight=case.args["pi_lambda"]))


def attention_of_the_text(case: Case) -> Tensor:
    """Its mean is over positions too."""
    positions = case["fpre5_s"][0, 0].numel()
    return between(case, "fpre5", AT("f", weight=case.args["pi_lambda"] / positions))


CASES: dict[str, Compute] = {
    "skd/pair_scale0.5": held_constant("feat"),
    "skd/pair_scale0.25": held_constant("feat"),
    "skd/pair_scale0.5_33x33": held_constant("fpre4"),
    "skd/pair_cirkd_2x2": lambda case: between(case, "feat", PairWise("f", patch=case.args["patch"])),
    "seed002/pa_lambda1": pair_term,
    "seed002/pi_lambda100": attention_term,
    "seed002/pi_paper_intent_lambda100": attention_of_the_text,
    "seed002/pa1+pi100": lambda case: pair_term(case) + attention_term(case),
}
