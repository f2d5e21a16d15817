"""Which method of the library is the best, as far as `benchmarks/methods.py` has found out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.polyp_results.cells import RECIPE, Part
from benchmarks.ranking import rank
from segdistill.core import unknown
from segdistill.methods import Method

RESULTS = Path(__file__).resolve().parents[1] / "results" / "methods.json"
#: The recipe's own.
OWN = "KD+AT"


def best(name: str | None, results: Path = RESULTS) -> Part:
    """The named method, or else the one that gained most at equal time, with the weight it had there.

    Raises:
        SegDistillError: If there is no such method.
    """
    record = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else {}
    name = name or first(record) or OWN
    if name == OWN:
        return Part(OWN, f"logits and attention maps, with the weights of the recipe {RECIPE}")
    if name not in Method.catalogue:
        raise unknown("method", name, [OWN, *Method.catalogue])
    options = options_of(name, record)
    how = "with the weight of benchmarks/results/methods.json" if options else "with its defaults"
    return Part(name, f"{name} {how}", (f"method={json.dumps({name: options})}",))


def first(record: Mapping[str, Any]) -> str | None:
    """The distillation with the largest gain at equal time; `None` where none has been measured."""
    measured = [item for item in record.get("methods", {}).items() if "gain_at_equal_time" in item[1]]
    found = [item for item in measured if Method.catalogue[item[0]].traits.teacher]
    return min(found, key=rank)[0] if found else None


def options_of(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """What a method was tried with there."""
    weight = record.get("methods", {}).get(name, {}).get("weight")
    options = dict(record.get("setup", {}).get("options", {}).get(name, {}))
    return options if weight is None else {**options, "weight": weight}
