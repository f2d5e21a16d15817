"""What a method was made with is kept, and written as the call that makes it again."""

from __future__ import annotations

import copy

from segdistill.methods import AT, CIRKDMemory, FitNet, Method
from segdistill.methods.arguments import written
from segdistill.methods.released.untrained import Untrained


def test_arguments_are_kept_whatever_a_method_makes_of_them():
    method = CIRKDMemory("low", pixels=20_000)
    assert method.arguments == {"taps": "low", "pixels": 20_000}
    assert copy.deepcopy(method).arguments == method.arguments


def test_a_subclass_keeps_its_own_arguments_and_not_what_it_hands_on():
    class Mine(AT, listed=False):
        def __init__(self, half: float = 1.0) -> None:
            super().__init__("high", weight=half / 2)

    assert Mine(3.0).arguments == {"half": 3.0}
    assert Method.arguments == {}


def test_a_method_is_written_as_it_was_made_without_what_is_default():
    assert (
        written(FitNet(taps={"low": "layer1"}, weight=2 / 3))
        == "FitNet(taps={'low': 'layer1'}, weight=0.6667)"
    )
    assert written(Untrained(AT(("low", "high"), weight=1.0))) == "Untrained(method=AT(taps=['low', 'high']))"
    assert written(CIRKDMemory(pixels=123_456)) == "CIRKDMemory(pixels=123456)"
