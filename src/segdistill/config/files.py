"""Recipes on disk: those that come with the library, the user's own, and those in run folders."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from segdistill.config.sections import check_sections
from segdistill.config.text import dump, parse, parse_file
from segdistill.core import SegDistillError, unknown

_BUNDLED = files("segdistill") / "recipes"


def names() -> list[str]:
    """The recipes that come with the library."""
    return sorted(
        entry.name.removesuffix(".yaml") for entry in _BUNDLED.iterdir() if entry.name.endswith(".yaml")
    )


def source(name: str) -> str:
    """The full text of a bundled recipe, with its comments.

    Raises:
        SegDistillError: If there is none of that name.
    """
    if name not in names():
        known = unknown("recipe", name, names())
        raise SegDistillError(f"{known} `segdistill recipes` lists them; a file of yours ends in .yaml.")
    return (_BUNDLED / f"{name}.yaml").read_text(encoding="utf-8")


def read(name_or_path: str | Path) -> dict[str, Any]:
    """Read a recipe.

    Args:
        name_or_path: Name of a bundled recipe, a YAML file, or a run folder (its `config.yaml`).

    Returns:
        What the file says: defaults are not filled in, variables not replaced.

    Raises:
        SegDistillError: If there is none, or it is not a recipe.
    """
    path = Path(name_or_path)
    if path.is_dir() and (path / "config.yaml").is_file():
        path = path / "config.yaml"
    if path.is_file():
        config = parse_file(path)
    elif path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        raise SegDistillError(f"There is no recipe {str(path)!r}: it is neither a file nor a run folder.")
    else:
        config = parse(source(str(name_or_path)), source=f"recipe {name_or_path}")
    return check_sections(config, source=str(name_or_path))


def write(config: dict[str, Any], path: Path) -> None:
    """Write a configuration that `read` reads back unchanged."""
    path.write_text(dump(config), encoding="utf-8")
