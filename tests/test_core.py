import pytest
import torch

from segdistill.core import Output, SegDistillError, unknown


def test_logits_are_a_tap_that_is_always_there():
    output = Output(torch.zeros(1, 2, 4, 4), {"e4": torch.ones(1, 8, 1, 1)})
    assert output["logits"] is output.logits
    assert output["e4"].shape == (1, 8, 1, 1)


def test_a_near_miss_is_answered_with_the_right_name():
    assert str(unknown("tap", "layr4", ["layer4", "stem"])) == "Unknown tap 'layr4'. Did you mean 'layer4'?"


def test_the_names_without_dots_are_shown_first():
    names = ["e2", "high", *(f"decoder.blocks.{n}" for n in range(30))]
    assert "Known: e2, high, decoder.blocks.0, " in str(unknown("tap", "e1", names))


def test_a_name_that_differs_in_case_only_is_meant():
    assert str(unknown("optimizer", "AdamW", ["adam", "adamw"])).endswith("Did you mean 'adamw'?")


def test_a_wild_guess_is_answered_with_what_there_is():
    assert str(unknown("method", "xyz", ["KD", "AT"])) == "Unknown method 'xyz'. Known: AT, KD."


def test_it_is_an_error_of_the_user():
    with pytest.raises(SegDistillError):
        raise unknown("tap", "a", [])
