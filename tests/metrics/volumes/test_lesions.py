from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segdistill.metrics.volumes.lesions import detect


def row(text: str) -> np.ndarray:
    """A volume of one row: `#` is lesion."""
    return np.array([[[letter == "#" for letter in text]]])


@pytest.mark.parametrize(
    ("predicted", "target", "expected"),
    [
        ("###.....", "###.....", (1, 0, 0)),
        ("##......", "####....", (0, 1, 1)),  # Jaccard is 1/2: not more than half
        ("###.....", "####....", (1, 0, 0)),
        ("........", "##..##..", (0, 0, 2)),
        ("##..##..", "........", (0, 2, 0)),
        ("........", "........", (0, 0, 0)),
        ("##....##", "##..##..", (1, 1, 1)),
        ("######..", "###.##..", (1, 0, 0)),  # two true lesions under one predicted count as one
        ("###.##..", "######..", (1, 0, 0)),  # and the other way round
        (
            "##.#####",
            "######.#",
            (1, 0, 0),
        ),  # and over several: the second joins the true ones, they the first
    ],
)
def test_lesions_are_found_above_half_their_union(predicted, target, expected):
    assert detect(row(predicted), row(target)) == expected


def test_voxels_that_share_an_edge_only_are_two_lesions():
    target = np.eye(2, dtype=bool)[None]
    assert detect(target & False, target).missed == 2


@settings(max_examples=40, deadline=None)
@given(st.text("#.", min_size=1, max_size=14), st.text("#.", min_size=14, max_size=14))
def test_no_lesion_counts_twice(predicted, target):
    predicted = predicted.ljust(14, ".")
    found, made_up, missed = detect(row(predicted), row(target))
    assert min(found, made_up, missed) >= 0
    assert found + made_up <= len([part for part in predicted.split(".") if part])
    assert found + missed <= len([part for part in target.split(".") if part])
    assert detect(row(target), row(target)).missed == 0
