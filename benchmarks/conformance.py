#!/usr/bin/env python3
"""Do our methods compute what their authors' code computes? Value and gradient of every recorded case.

    python benchmarks/conformance.py [--cases FILE] [--tensors FILE] [--grads FILE]

Prints a line per case: our value, the norm of the gradient over the student's tensors, their relative errors, and
whether both are within the case's tolerance (the full gradients too, with --grads). Cases whose values are withheld are
computed and printed, not judged. The last line is `N passed, N failed`; the exit code is 1 if any case failed or
is unknown, 2 for bad input. Without arguments it runs on the project's own golden values.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from benchmarks.cases import CASES, Case  # noqa: E402
from segdistill.core import SegDistillError  # noqa: E402

GOLDEN = ROOT / "tests" / "golden" / "losses"
RTOL = 2e-5
#: Elements of a gradient carry more rounding than its norm.
FULL_RTOL = 1e-4
HEAD = ("case", "value", "gradient", "value error", "gradient error", "full error", "")


@dataclass(frozen=True)
class Result:
    """What came of one case.

    Attributes:
        id: Of the case.
        value: Our loss.
        norm: Norm of our gradient over all student tensors.
        errors: Relative errors of value, norm and full gradient; `None` where nothing is recorded.
        verdict: `pass`, `FAIL`, `withheld`, or why there is no value.
        failed: Whether it counts as failed.
    """

    id: str
    value: float = math.nan
    norm: float = math.nan
    errors: tuple[float | None, float | None, float | None] = (None, None, None)
    verdict: str = ""
    failed: bool = False


def evaluate(
    case: Mapping[str, Any], tensors: Mapping[str, Tensor], grads: Mapping[str, Tensor] | None = None
) -> Result:
    """Compute one case and judge it.

    Args:
        case: Its entry in the JSON.
        tensors: All inputs by name.
        grads: Recorded gradients by `"<id>::<tensor>"`.

    Raises:
        SegDistillError: If a tensor is missing.
    """
    name = str(case["id"])
    if name not in CASES:
        return Result(name, verdict="FAIL: no method is known for this id", failed=True)
    inputs = leaves(case, tensors)
    torch.manual_seed(0)
    try:
        loss = CASES[name](Case(case.get("args") or {}, inputs))
        gradients = gradient(loss, {tensor: inputs[tensor] for tensor in case["student"]})
    except Exception as error:  # one broken case must not hide the others
        reason = next(iter(str(error).splitlines()), "")
        return Result(name, verdict=f"FAIL: {type(error).__name__}: {reason}", failed=True)
    return judge(case, loss.item(), gradients, grads or {})


def leaves(case: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inputs of a case; those of the student gather gradients."""
    for name in (*case["student"], *case.get("teacher", ()), *case.get("extra", ())):
        if name not in tensors:
            raise SegDistillError(
                f"Case {case['id']} needs the tensor {name!r}, which is not in the file of --tensors."
            )
    return {name: value.clone().requires_grad_(name in case["student"]) for name, value in tensors.items()}


def gradient(loss: Tensor, student: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Gradients by tensor; zero where the loss does not depend on one."""
    found = torch.autograd.grad(loss, list(student.values()), allow_unused=True)
    return {
        name: torch.zeros_like(x) if g is None else g
        for (name, x), g in zip(student.items(), found, strict=True)
    }


def judge(
    case: Mapping[str, Any], value: float, gradients: Mapping[str, Tensor], grads: Mapping[str, Tensor]
) -> Result:
    """Compare with what is recorded."""
    norm = math.sqrt(sum(g.double().square().sum().item() for g in gradients.values()))
    errors = (
        relative(value, case.get("loss_f32")),
        relative(norm, case.get("grad_norm_f32")),
        full_error(str(case["id"]), gradients, grads),
    )
    done = Result(str(case["id"]), value, norm, errors)
    if not (math.isfinite(value) and math.isfinite(norm)):
        return Result(done.id, value, norm, errors, "FAIL: not finite", failed=True)
    if case.get("withheld") or case.get("loss_f32") is None:
        return Result(done.id, value, norm, errors, "withheld")
    rtol = float(case.get("rtol") or RTOL)
    limits = (rtol, rtol, max(rtol, FULL_RTOL))
    failed = any(e is not None and not e <= limit for e, limit in zip(errors, limits, strict=True))
    return Result(done.id, value, norm, errors, "FAIL" if failed else "pass", failed)


def relative(found: float, recorded: float | None) -> float | None:
    """Relative error; absolute where zero is recorded."""
    return None if recorded is None else abs(found - recorded) / (abs(recorded) or 1.0)


def full_error(name: str, gradients: Mapping[str, Tensor], grads: Mapping[str, Tensor]) -> float | None:
    """Norm of the gradients' difference over the norm of the recorded ones; `None` if none are recorded."""
    pairs = [(g, grads[f"{name}::{t}"]) for t, g in gradients.items() if f"{name}::{t}" in grads]
    if not pairs:
        return None
    if any(ours.shape != theirs.shape for ours, theirs in pairs):
        return math.inf
    difference = sum((ours.double() - theirs.double()).square().sum().item() for ours, theirs in pairs)
    recorded = sum(theirs.double().square().sum().item() for _, theirs in pairs)
    return math.sqrt(difference / (recorded or 1.0))


def cases(path: Path) -> list[dict[str, Any]]:
    """The entries of a file of cases.

    Raises:
        SegDistillError: If it is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SegDistillError(f"Cannot read {path}: {error.strerror}. Give the cases with --cases.") from None
    except ValueError as error:
        raise SegDistillError(f"{path} is not JSON ({error}). Give a file such as cases.json.") from None
    listed = found.get("cases") if isinstance(found, dict) else found
    if not isinstance(listed, list) or not all(
        isinstance(c, dict) and {"id", "student"} <= c.keys() for c in listed
    ):
        raise SegDistillError(
            f"{path} holds no cases: it needs a list 'cases' of entries with id and student."
        )
    return listed


def tensors(path: Path) -> dict[str, Tensor]:
    """Tensors by name from `.npz`, or `.pt` with a dict; floats in single precision.

    Raises:
        SegDistillError: If it is neither.
    """
    if not path.is_file():
        raise SegDistillError(f"There is no file {path}. Give tensors as .npz or .pt.")
    try:
        found = torch.load(path, weights_only=True) if path.suffix in (".pt", ".pth") else dict(np.load(path))
        named = {name: torch.as_tensor(value) for name, value in found.items()}
    except Exception as error:
        raise SegDistillError(f"{path} holds no named tensors ({error}). Give them as .npz or .pt.") from None
    return {name: x.float() if x.is_floating_point() else x for name, x in named.items()}


def rows(results: Sequence[Result]) -> Iterator[str]:
    """The results as an aligned table."""
    cells = [HEAD, *(row(result) for result in results)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD) - 1)]
    for line in cells:
        fixed = [
            cell.ljust(w) if n == 0 else cell.rjust(w)
            for n, (cell, w) in enumerate(zip(line, widths, strict=False))
        ]
        yield "  ".join([*fixed, line[-1]]).rstrip()


def row(result: Result) -> tuple[str, ...]:
    """One line of the table."""
    errors = ("-" if e is None else f"{e:.1e}" for e in result.errors)
    numbers = ("-" if math.isnan(x) else f"{x:.9g}" for x in (result.value, result.norm))
    return (result.id, *numbers, *errors, result.verdict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and say how it went."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=Path, default=GOLDEN / "cases.json", help="recorded cases (JSON)")
    parser.add_argument(
        "--tensors", type=Path, default=GOLDEN / "tensors.npz", help="their inputs, .npz or .pt"
    )
    parser.add_argument("--grads", type=Path, help="full gradients by '<id>::<tensor>', .npz or .pt")
    options = parser.parse_args(arguments)
    try:
        listed, inputs = cases(options.cases), tensors(options.tensors)
        recorded = tensors(options.grads) if options.grads else None
        results = [evaluate(case, inputs, recorded) for case in listed]
    except SegDistillError as error:
        print(error, file=sys.stderr)
        return 2
    print(*rows(results), sep="\n")
    failed, withheld = sum(r.failed for r in results), sum(r.verdict == "withheld" for r in results)
    if withheld:
        print(f"{withheld} withheld: computed, not judged")
    print(f"{len(results) - failed - withheld} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
