"""The page about protocols knows all of them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from segdistill.metrics import PROTOCOLS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/explanation/protocols.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("protocols_page", ROOT / "docs/protocols.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_what_make_docs_writes(script):
    assert script.page(TEXT) == TEXT, "run `make docs`"


def test_the_table_holds_every_protocol_and_a_bar_does_not_end_a_cell(script):
    lines = script.table().splitlines()
    assert len(lines) == 2 + len(PROTOCOLS)
    assert script.line(["a|b", 1]) == "| a\\|b | 1 |"
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_has_a_paragraph(name):
    section = re.search(rf"^## {re.escape(name)}\n\n(.+?)(?=^## |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert section, f"docs/explanation/protocols.md says nothing about {name}"
    assert len(section[1].split()) > 30


def test_links_within_the_page_lead_somewhere(script):
    headings = {script.anchor(name.replace(" ", "-")) for name in re.findall(r"^##+ (.+)$", TEXT, flags=re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings


@pytest.mark.parametrize("rule", sorted({protocol.empty for protocol in PROTOCOLS.values()}))
def test_every_rule_for_empty_masks_is_explained(rule):
    assert f"- `{rule}`:" in TEXT
