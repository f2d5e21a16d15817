from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from segdistill.core import SegDistillError
from segdistill.metrics import DICE_AT_HALF, PROTOCOLS, find_protocol


def test_every_protocol_is_found_by_its_name():
    assert all(find_protocol(name) is protocol for name, protocol in PROTOCOLS.items())
    assert find_protocol("dice@0.5") is DICE_AT_HALF


def test_a_wrong_protocol_names_the_right_one():
    with pytest.raises(SegDistillError, match=r"Unknown protocol 'dice@0\.6'. Did you mean 'dice@0\.5'"):
        find_protocol("dice@0.6")


def test_another_rule_for_empty_masks_is_part_of_the_name():
    found = find_protocol("pranet-py/skip")
    assert (found.name, found.empty, found.version) == ("pranet-py/skip", "skip", 1)
    assert found.metric().name == "pranet-py/skip"
    assert find_protocol("dice@0.5/one") is DICE_AT_HALF
    with pytest.raises(SegDistillError, match="Unknown rule for empty masks 'one'.* pranet, skip"):
        find_protocol("pranet-py/one")
    with pytest.raises(SegDistillError, match="Unknown protocol 'pranet'"):
        find_protocol("pranet/skip")


def test_a_protocol_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        DICE_AT_HALF.empty = "zero"


def test_a_wrong_rule_names_the_right_one():
    with pytest.raises(SegDistillError, match="Unknown rule for empty masks 'skipp'. Did you mean 'skip'"):
        replace(DICE_AT_HALF, empty="skipp")


def test_a_threshold_is_a_probability():
    with pytest.raises(SegDistillError, match="between 0 and 1, got 1"):
        replace(DICE_AT_HALF, threshold=1)
