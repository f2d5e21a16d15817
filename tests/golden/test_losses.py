"""The losses of the authors' own code: every recorded case, value and norm of the gradient."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

from benchmarks import conformance  # noqa: E402

FILES = ROOT / "tests" / "golden" / "losses"
RECORDED = conformance.cases(FILES / "cases.json")


@pytest.fixture(scope="module")
def inputs():
    return conformance.tensors(FILES / "tensors.npz")


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["id"])
def test_computes_what_the_authors_code_computes(case, inputs):
    result = conformance.evaluate(case, inputs)
    assert result.verdict == ("withheld" if case.get("withheld") else "pass"), result


def test_no_case_is_listed_twice_or_left_over():
    ids = [case["id"] for case in RECORDED]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(conformance.CASES)


def test_the_records_say_where_they_come_from():
    for case in RECORDED:
        assert case["symbol"]
        assert case.get("withheld") or case["repo"] is None or case["commit"], case["id"]
