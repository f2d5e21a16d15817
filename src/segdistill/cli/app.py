"""The commands, gathered."""

from __future__ import annotations

from typing import Annotated

import typer

from segdistill.cli.commands import app as web
from segdistill.cli.commands import (
    cache,
    compare,
    demo,
    distill,
    doctor,
    evaluate,
    export,
    import_config,
    methods,
    models,
    plot,
    predict,
    recipes,
    report,
    score,
    train,
)
from segdistill.cli.errors import Commands

app = typer.Typer(
    name="segdistill",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

PANELS = {
    "Jobs": (demo, train, cache, distill, evaluate, predict, export, web),
    "Results": (score, compare, plot, report),
    "Look around": (methods, models, recipes, import_config, doctor),
}
for _panel, _modules in PANELS.items():
    for _module in _modules:
        _name = _module.__name__.rpartition(".")[2].replace("_", "-")
        app.command(_name, rich_help_panel=_panel)(_module.command)


def _version(wanted: bool) -> None:
    if wanted:
        from segdistill import __version__

        typer.echo(f"segdistill {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; may stand anywhere.")
    ] = False,
) -> None:
    """Distil a large segmentation network into a small one, and prove what was gained.

    Start with `segdistill demo`. With images of your own:

    `segdistill train folder --mode teacher --out runs/teacher -o data.folders.root=my-data`

    `segdistill distill folder --teacher runs/teacher --out runs/student -o data.folders.root=my-data`
    """


def main() -> None:
    """Run the command line; what `segdistill` starts."""
    app()
