"""Every error as one line: a user's mistake ends with code 2, Ctrl-C with 130, anything else with 1."""

from __future__ import annotations

import errno
import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from segdistill.core import SegDistillError

_INTERRUPTED = 130
_DISK = {
    errno.ENOSPC: "The disk is full{where}: free some space, or choose another folder with --out.",
    errno.EACCES: "No permission{where}: choose another folder, or change its permissions.",
    errno.EPERM: "No permission{where}: choose another folder, or change its permissions.",
    errno.EROFS: "The disk is read-only{where}: choose another folder with --out.",
    errno.ENOENT: "There is no such file or folder{where}.",
    errno.ENOTDIR: "A file stands where a folder is needed{where}.",
    errno.EISDIR: "A folder stands where a file is needed{where}.",
}


class _InterruptedError(Exception):
    """Ctrl-C, with what the engine has to say about it."""


class Commands(TyperGroup):
    """The group of all commands, with one place where errors become sentences."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run and exit; typer's own usage errors become one line too."""
        given = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in given
        kept = [a for a in given if a != "--debug"]
        try:
            code = super().main(kept, prog_name, complete_var, False, windows_expand_args, **extra)
        except _InterruptedError as interruption:
            code = _interrupted(str(interruption), given)
        except Exception as error:
            if debug and not _is_usage(error):
                traceback.print_exception(error)
            code = _explain(error)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        """Run a command. Typer would swallow what an interruption says, so it travels as another exception."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interruption:
            raise _InterruptedError(str(interruption) or "Stopped.") from None


def _is_usage(error: Exception) -> bool:
    return hasattr(error, "format_message")


def _explain(error: Exception) -> int:
    from segdistill.cli.output import complain

    if isinstance(error, typer.Abort):
        complain("Stopped.")
        return 1
    if _is_usage(error):
        return _usage(error)
    sentence = _sentence(error)
    if sentence:
        complain(sentence)
        return 2
    said = str(error).strip().splitlines()
    complain(
        f"{type(error).__name__}: {said[0] if said else 'no message'} (run with --debug for the traceback)"
    )
    return 1


def _usage(error: Any) -> int:
    from segdistill.cli.output import complain

    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
        error.show()
        return 2
    context = getattr(error, "ctx", None)
    line = " ".join(error.format_message().split())
    ending = "" if line.endswith((".", "?", "!")) else "."
    complain(f"{line}{ending} See: {context.command_path if context else 'segdistill'} --help")
    return 2


def _sentence(error: Exception) -> str | None:
    if isinstance(error, SegDistillError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return (
            "Out of memory: in a training, halve training.batch_size (and double training.accumulate), "
            "or set training.precision=bf16; elsewhere, take --device cpu."
        )
    if isinstance(error, OSError) and error.errno in _DISK:
        where = f" at {os.fspath(error.filename)!r}" if error.filename else ""
        return _DISK[error.errno].format(where=where)
    return None


def _interrupted(said: str, arguments: Sequence[str]) -> int:
    from segdistill.cli.output import complain

    complain(said, label="")
    command = next((a for a in arguments if not a.startswith("-")), "")
    again = [a for a in arguments if a != "--resume"] + (
        ["--resume"] if command in ("train", "distill") else []
    )
    if command in ("train", "distill", "demo"):
        complain(f"Go on with: segdistill {shlex.join(again)}", label="")
    return _INTERRUPTED
