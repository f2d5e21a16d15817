"""The command line: one small file per command. Nothing heavy is imported before a command runs."""

from segdistill.cli.app import app, main

__all__ = ["app", "main"]
