"""`-o training.lr=3e-4`: change one value of a configuration."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from segdistill.config.build import split
from segdistill.config.sections import SECTIONS, complete_section, option_names
from segdistill.config.text import parse
from segdistill.core import SegDistillError, unknown

#: The names that a path may take at one level, with the level below; `None` where anything goes.
Shape = Mapping[str, Any] | None


def override(config: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Apply assignments in turn.

    Args:
        config: A configuration; it is not changed.
        assignments: `path=value` each. A path names keys from the top (`training.lr`, `data.folders.root`);
            parts of a list are named or counted (`method.KD.temperature`, `method.0.KD.temperature`). The
            value is YAML: `3e-4`, `null`, `[256, 256]`, `{KD: {temperature: 2}}`.

    Raises:
        SegDistillError: If a path leads nowhere.

    Examples:
        >>> override({"name": "mine"}, ["name=yours"])
        {'name': 'yours'}
    """
    changed: dict[str, Any] = copy.deepcopy(dict(config))
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        path = path.strip()
        if not equals or not path:
            raise SegDistillError(
                f"An override is written path=value, such as training.lr=3e-4, got {assignment!r}."
            )
        _assign(changed, path, parse(value, source=f"the value of {path}"))
    return changed


def _assign(config: dict[str, Any], path: str, value: Any) -> None:
    section, _, rest = path.partition(".")
    if section not in SECTIONS:
        raise unknown("section", section, SECTIONS)
    if rest:
        current = _long(section, config.get(section))
        _set(current, _shape(section, current), rest, value, where=section)
        value = current
    config[section] = value


def _long(section: str, value: Any) -> Any:
    """A section with its short forms (`KD`, `{KD: null}`) written out as `{KD: {}}`."""
    if value is None and section in ("training", "teacher_training", "cache"):
        return {}
    if value is None or section in ("name", "about"):
        raise SegDistillError(
            f"There is nothing inside {section}: to set. Give it as a whole: -o {section}=..."
        )
    if section == "method":
        return [_long_spec(part, section) for part in (value if isinstance(value, list) else [value])]
    if section in ("teacher", "student") and isinstance(value, Mapping) and value.get("net"):
        return {**value, "net": _long_spec(value["net"], "network")}
    return _long_spec(value, section) if section in ("task", "data", "loss") else value


def _long_spec(spec: Any, kind: str) -> dict[str, Any]:
    name, options = split(spec, kind)
    return {name: options}


def _shape(section: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_shape(section, part) for part in value]
    if section in ("teacher", "student"):  # `models.load` knows the options of its networks
        full = complete_section(section, value)
        return {key: dict.fromkeys(value) if key == "net" else None for key, value in full.items()}
    return option_names(section, value)


def _set(node: Any, shape: Any, path: str, value: Any, *, where: str) -> None:
    if isinstance(node, list) and isinstance(shape, list):
        index, path = _entry(node, path, where)
        return _set(node[index], shape[index], path, value, where=where)
    if not isinstance(node, dict):
        raise SegDistillError(
            f"{where} holds {node!r}, which has no parts. Give it as a whole: -o {where}=..."
        )
    key = _step(path, shape, where)
    rest = path[len(key) + 1 :]
    if not rest:
        node[key] = value
        return None
    inner = node.setdefault(key, {})
    return _set(inner, shape[key] if shape else None, rest, value, where=f"{where}.{key}")


def _step(path: str, shape: Shape, where: str) -> str:
    """The first key of a path. Names of networks hold dots themselves, so the longest known name wins."""
    first = path.partition(".")[0]
    if shape is None:
        return first
    fitting = [name for name in shape if path == name or path.startswith(f"{name}.")]
    if not fitting:
        raise unknown(f"option of {where}", first, shape)
    return max(fitting, key=len)


def _entry(parts: list[dict[str, Any]], path: str, where: str) -> tuple[int, str]:
    first, _, rest = path.partition(".")
    if first.isdigit() and int(first) < len(parts) and rest:
        return int(first), rest
    for index, part in enumerate(parts):
        if any(path == name or path.startswith(f"{name}.") for name in part):
            return index, path
    raise unknown(f"part of {where}", first, [name for part in parts for name in part])
