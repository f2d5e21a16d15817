"""Flags that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Overrides = Annotated[
    list[str] | None,
    typer.Option("--override", "-o", metavar="KEY=VALUE", help="Change one value, such as training.lr=3e-4."),
]
Out = Annotated[Path, typer.Option("--out", metavar="RUN", help="The run folder to write.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where a stopped run left off.")]
Devices = Annotated[
    int | None, typer.Option("--devices", min=1, help="Processes, one per device; instead of the recipe's.")
]
Device = Annotated[
    str,
    typer.Option(
        "--device", metavar="NAME", help="Where to run: cpu, cuda, cuda:1, mps, or auto for the fastest."
    ),
]
Teacher = Annotated[
    Path | None,
    typer.Option("--teacher", metavar="RUN|FILE", help="Run folder or published checkpoint of the teacher."),
]
Protocols = Annotated[
    str,
    typer.Option("--protocol", metavar="NAME[,NAME]", help="How to score, such as pranet-py or dice@0.5."),
]
Json = Annotated[
    Path | None,
    typer.Option("--json", metavar="OUT", help="Write the scores, and a CSV per set beside them."),
]
Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")]
Networks = Annotated[
    list[Path], typer.Argument(metavar="RUN|FILE...", help="Run folders, and published checkpoints.")
]
