"""Objects that others wrote as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from segdistill.core import SegDistillError

Part = TypeVar("Part", dict[str, Any], list[Any])


def read_object(file: Path, *, otherwise: str) -> dict[str, Any]:
    """Read a JSON object.

    Args:
        file: Where it should be.
        otherwise: What is said of a file that holds something else, such as `"holds no scores"`.

    Raises:
        SegDistillError: If the file cannot be read, or holds no object.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SegDistillError(f"Cannot read {file}: {error}.") from None
    if not isinstance(content, dict):
        raise SegDistillError(f"{file} {otherwise}, but a {type(content).__name__}.")
    return content


def part_of(content: Mapping[str, Any], key: str, kind: type[Part], file: Path) -> Part:
    """Take a part of an object; an empty one where it is not there.

    Raises:
        SegDistillError: If it is of another kind.
    """
    part = content.get(key, kind())
    if not isinstance(part, kind):
        wanted = "object" if issubclass(kind, dict) else "list"
        raise SegDistillError(f"{file} is damaged: {key!r} is no {wanted} but {part!r:.40}.")
    return part
