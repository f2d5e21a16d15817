"""The stored table of thresholds."""

from __future__ import annotations

import ast
import hashlib
from fractions import Fraction

import numpy as np

from metrics.pranet.pairs import FOLDER
from segdistill.metrics.pranet.rules import MATLAB, PYTHON, Scale
from segdistill.metrics.pranet.thresholds import LOWEST, TABLE, lowest_levels


def test_the_stored_table_is_the_one_that_linspace_gives():
    thresholds, levels = np.linspace(1, 0, 256), np.arange(256) / 255
    np.testing.assert_array_equal(TABLE, levels >= thresholds[:, None])


def test_the_thresholds_that_miss_their_level_are_the_recorded_ones():
    first, listed = (FOLDER / "threshold_mismatches.txt").read_text().split("\n", 1)
    missed = [(j, 255 - j) for j in range(256) if not TABLE[j, 255 - j]]
    assert missed == ast.literal_eval(listed.strip())
    assert first == f"mismatches {len(missed)}"


def test_the_table_never_changes():
    assert hashlib.sha256(np.packbits(TABLE).tobytes()).hexdigest()[:16] == "b55c3fff8affbad2"
    assert not TABLE.flags.writeable
    assert not LOWEST.flags.writeable


def test_the_table_is_that_of_lowest_levels():
    np.testing.assert_array_equal(lowest_levels(PYTHON, Scale(0, 255)), LOWEST)
    np.testing.assert_array_equal(TABLE.argmax(axis=1), LOWEST)


def test_stretched_maps_are_compared_as_fractions():
    for scale in (Scale(0, 255), Scale(37, 174), Scale(254, 1), Scale(0, 7)):
        lowest = lowest_levels(MATLAB, scale)
        for j in range(256):
            values = [
                Fraction(k - scale.low, scale.span) for k in range(scale.low, scale.low + scale.span + 1)
            ]
            first = next(i for i, value in enumerate(values) if value >= Fraction(255 - j, 255))
            assert lowest[j] == scale.low + first
