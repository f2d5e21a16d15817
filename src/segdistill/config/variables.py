"""Environment variables in recipes: `${VAR}` and `${VAR:-default}`."""

from __future__ import annotations

import os
import re
from typing import Any

from segdistill.core import SegDistillError

_REFERENCE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_MEANING = {"SEGDISTILL_DATA": "the folder that holds polyp/"}


def refers(value: Any) -> bool:
    """Whether a value is a text that names a variable."""
    return isinstance(value, str) and bool(_REFERENCE.search(value))


def expand(value: Any) -> Any:
    """Replace every `${VAR}` in nested lists and dicts.

    Raises:
        SegDistillError: If a variable is not set and has no default.

    Examples:
        >>> expand({"root": "${NO_SUCH_VARIABLE:-data}/polyp"})
        {'root': 'data/polyp'}
    """
    if isinstance(value, str):
        return _REFERENCE.sub(_replace, value)
    if isinstance(value, dict):
        return {key: expand(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [expand(item) for item in value]
    return value


def _replace(match: re.Match[str]) -> str:
    name, default = match.groups()
    found = os.environ.get(name) or default  # as in a shell, an empty variable counts as unset
    if found is not None:
        return found
    meaning = _MEANING.get(name, "the value to use here")
    raise SegDistillError(f"The recipe uses ${{{name}}}, which is not set: set {name} to {meaning}.")
