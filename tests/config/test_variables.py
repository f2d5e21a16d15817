"""`${VAR}` in recipes."""

from __future__ import annotations

import pytest

from segdistill.config.variables import expand, refers
from segdistill.core import SegDistillError


def test_a_variable_is_replaced_wherever_it_stands(monkeypatch):
    monkeypatch.setenv("PLACE", "here")
    assert expand({"a": ["${PLACE}/x", 3]}) == {"a": ["here/x", 3]}


def test_a_default_serves_an_unset_or_empty_variable(monkeypatch):
    monkeypatch.delenv("PLACE", raising=False)
    assert expand("${PLACE:-there}") == "there"
    monkeypatch.setenv("PLACE", "")
    assert expand("${PLACE:-there}") == "there"


def test_an_unset_variable_is_named(monkeypatch):
    monkeypatch.delenv("PLACE", raising=False)
    with pytest.raises(SegDistillError, match=r"uses \$\{PLACE\}, which is not set: set PLACE"):
        expand("${PLACE}/x")


def test_the_data_variable_says_which_folder_it_means(monkeypatch):
    monkeypatch.delenv("SEGDISTILL_DATA", raising=False)
    with pytest.raises(SegDistillError, match="the folder that holds polyp/"):
        expand("${SEGDISTILL_DATA}/polyp")


def test_only_texts_refer():
    assert refers("${X}")
    assert not refers("X")
    assert not refers(["${X}"])
