"""`segdistill recipes`: list them, or print one."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    name: Annotated[str | None, typer.Argument(help="Print the full file of this recipe.")] = None,
) -> None:
    """List the recipes that come with the library, or print one to start from.

    `segdistill recipes polyp-lite > mine.yaml`
    """
    from segdistill import config
    from segdistill.cli.output import say, table

    if name:
        say(config.source(name).rstrip("\n"))
        return
    table(("recipe", "what it does"), [(each, config.read(each).get("about", "")) for each in config.names()])
