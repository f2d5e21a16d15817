"""`segdistill models`: list them, or explain one."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    name: Annotated[str | None, typer.Argument(help="Size, cost and taps of this network.")] = None,
) -> None:
    """List the networks that a recipe can name, or look at one: size, cost, options, and what can be tapped.

    `segdistill models smp.FPN`

    `segdistill models "{smp.FPN: {encoder_name: tu-tf_efficientnet_lite0}}"`
    """
    from segdistill.cli.output import table
    from segdistill.models import catalogue

    if name is None:
        table(("model", "from", "in a recipe"), [(row.name, row.source, row.example) for row in catalogue()])
    else:
        look_at(name)


def look_at(name: str) -> None:
    """Build a network without its pretrained weights and print its size and taps."""
    from segdistill.cli.output import say, table
    from segdistill.config.text import parse
    from segdistill.models import cost, load

    network = load(parse(name, source="the model"), classes=1, weights="none")
    say(f"{name}: {cost(network, size=network.size or (256, 256))}")
    rows = [(alias, module) for alias, module in sorted(network.aliases.items())]
    table(("tap", "module"), rows, title="Aliases that methods can tap, beside every module's own name:")
