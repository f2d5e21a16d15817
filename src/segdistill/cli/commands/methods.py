"""`segdistill methods`: list them, or explain one."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer


def command(
    name: Annotated[str | None, typer.Argument(help="Explain this method and its options.")] = None,
) -> None:
    """List the distillation methods, or explain one: what it does, its options, where it comes from.

    `segdistill methods KD`
    """
    from segdistill.cli.output import table
    from segdistill.core import unknown
    from segdistill.methods import Method

    if name is None:
        rows = [(each, first_line(cls), cls.paper) for each, cls in sorted(Method.catalogue.items())]
        table(("method", "what it does", "paper"), rows)
    elif name in Method.catalogue:
        explain(name, Method.catalogue[name])
    else:
        raise unknown("method", name, Method.catalogue)


def explain(name: str, cls: type[Any]) -> None:
    """Print a method's documentation and how it stands in a recipe."""
    from segdistill.cli.output import say
    from segdistill.config import complete
    from segdistill.config.text import dump

    say(f"{name}: {inspect.getdoc(cls)}")
    say(f"\nPaper: {cls.paper}")
    written = complete({"method": name})["method"]
    say(f"\nIn a recipe, with its defaults:\n\n{dump({'method': written}).rstrip()}")


def first_line(cls: type[Any]) -> str:
    """The sentence that says what a class is for."""
    return (inspect.getdoc(cls) or "").split("\n", 1)[0]
