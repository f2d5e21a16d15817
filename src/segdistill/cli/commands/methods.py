"""`segdistill methods`: list them and the presets, or explain one."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from segdistill.methods import Method
    from segdistill.methods.presets import Preset


def command(
    name: Annotated[str | None, typer.Argument(help="Explain this method or preset and its options.")] = None,
) -> None:
    """List the distillation methods and presets, or explain one: what it does, its options, where it comes from.

    `segdistill methods KD`
    """
    from segdistill.core import unknown
    from segdistill.methods import Method
    from segdistill.methods.presets import PRESETS

    if name is None:
        list_all()
    elif name in Method.catalogue:
        explain(name, Method.catalogue[name])
    elif name in PRESETS:
        explain_preset(PRESETS[name])
    else:
        raise unknown("method", name, {*Method.catalogue, *PRESETS})


def list_all() -> None:
    """Print the methods by what they compare, then the presets."""
    from segdistill.cli.output import say, table
    from segdistill.methods.chapters import CHAPTERS, by_kind, summary
    from segdistill.methods.presets import PRESETS

    for kind, methods in by_kind().items():
        rows = [(name, summary(cls), cls.paper) for name, cls in methods.items()]
        table(("method", "what it does", "paper"), rows, title=CHAPTERS[kind][0])
        say()
    rows = [(name, preset.about, preset.source) for name, preset in sorted(PRESETS.items())]
    table(("preset", "what it adds up", "from"), rows, title="Presets")


def explain(name: str, cls: type[Method]) -> None:
    """Print a method's documentation, where it works and how it stands in a recipe."""
    from segdistill.cli.output import say
    from segdistill.methods.chapters import where
    from segdistill.methods.presets import uses

    say(f"{name}: {inspect.getdoc(cls)}")
    say(f"\nPaper: {cls.paper}\n")
    for line in where(cls):
        say(f"- {line}")
    if presets := uses(name):
        say(f"\nPresets that use it: {', '.join(presets)}")
    in_a_recipe(name)


def explain_preset(preset: Preset) -> None:
    """Print what a preset adds up, and where its release differs."""
    from segdistill.cli.output import say
    from segdistill.methods.chapters import describe
    from segdistill.methods.presets import VARIANTS

    say(f"{preset.name}: {preset.about}")
    say(f"\nFrom: {preset.source}\n")
    for variant in VARIANTS:
        say(f"- {variant}: {'; '.join(describe(preset(variant)))}")
    say(f"\nWhere the release differs: {preset.differences}")
    in_a_recipe(preset.name)


def in_a_recipe(name: str) -> None:
    """Print how a method or preset is written, with its defaults."""
    from segdistill.cli.output import say
    from segdistill.config import complete
    from segdistill.config.text import dump

    written = complete({"method": name})["method"]
    say(f"\nIn a recipe, with its defaults:\n\n{dump({'method': written}).rstrip()}")
