"""The conformance table: which method, with which arguments, computes a recorded case. One file per family.

Every file holds `CASES`, from a case's id to a function of a `Case` that returns the loss as a scalar.
"""

from importlib import import_module
from pkgutil import iter_modules

from benchmarks.cases.case import Case, Compute

CASES: dict[str, Compute] = {}
for _module in iter_modules(__path__):
    if _module.name != "case":
        CASES |= import_module(f"{__name__}.{_module.name}").CASES

__all__ = ["CASES", "Case", "Compute"]
