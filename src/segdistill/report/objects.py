"""Objects that others wrote as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from segdistill.core import SegDistillError


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
