#!/usr/bin/env python3
"""Write the table of docs/explanation/protocols.md from the protocols themselves.

python docs/protocols.py        (or: make docs)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from segdistill.metrics import PROTOCOLS, Protocol

PAGE = Path(__file__).resolve().parent / "explanation" / "protocols.md"
_MARKED = re.compile(
    r"(<!-- the table: written by make docs -->\n).*?(<!-- end of the table -->)", flags=re.DOTALL
)


def write() -> None:
    """Bring the page's table up to date."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def page(text: str) -> str:
    """The page with its table as it should be."""
    return _MARKED.sub(lambda found: f"{found[1]}{table()}\n{found[2]}", text)


def table() -> str:
    """All protocols, one row each."""
    columns = ("protocol", "version", "reads", "empty", "colour", "size", "reference")
    rows = [
        (
            f"[`{p.name}`](#{anchor(p.name)})",
            p.version,
            p.reads,
            f"`{p.empty}`",
            colour(p),
            p.resize,
            p.reference,
        )
        for p in PROTOCOLS.values()
    ]
    return "\n".join(map(line, (columns, ["---"] * len(columns), *rows)))


def colour(protocol: Protocol) -> str:
    """Whose channel 0 is read."""
    if protocol.reads == "volume":
        return "none"
    return " and ".join(protocol.first_channel_of) or "refused"


def line(cells: Iterable[object]) -> str:
    """One line of a table; a bar does not end a cell."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def anchor(name: str) -> str:
    """Where a heading that holds the name is found."""
    return re.sub(r"[^\w-]", "", name.lower())


if __name__ == "__main__":
    write()
