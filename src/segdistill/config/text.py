"""YAML in and out, read as YAML 1.2 means it: `3e-4` is a number, `no` is a word, a key stands once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from segdistill.core import SegDistillError

_FLOAT = re.compile(
    r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"
)
_RULES: list[tuple[str, re.Pattern[str], str]] = [
    ("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), "~nN\0"),
    ("tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    ("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), "-+0123456789"),
    ("tag:yaml.org,2002:float", _FLOAT, "-+.0123456789"),
]


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: list[Any] = []
        for written, _ in node.value:
            key = self.construct_object(written, deep=True)
            if key in keys:
                raise SegDistillError(
                    f"{key!r} stands twice, again in line {written.start_mark.line + 1}: keep one."
                )
            keys.append(key)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        return int(self.construct_scalar(node))  # PyYAML takes 010 for eight


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


for _class in (_Loader, _Dumper):
    _class.yaml_implicit_resolvers = {}  # not the rules of YAML 1.1, which SafeLoader brings
for _tag, _pattern, _first in _RULES:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_tag, _pattern, ["" if c == "\0" else c for c in _first])
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def parse(text: str, *, source: str) -> Any:
    """Read YAML (or JSON, which is YAML).

    Args:
        text: What to read.
        source: Where it comes from, for the message.

    Raises:
        SegDistillError: If it is not YAML, with the line.

    Examples:
        >>> parse("{lr: 3e-4, norm: no}", source="an example")
        {'lr': 0.0003, 'norm': 'no'}
    """
    try:
        return yaml.load(text, _Loader)  # a SafeLoader: it builds plain values only
    except SegDistillError as error:
        raise SegDistillError(f"In {source}: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise SegDistillError(
            f"{source}{line} is not YAML: {getattr(error, 'problem', None) or error}."
        ) from None


def parse_file(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        SegDistillError: If it cannot be read.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), source=str(path))
    except UnicodeDecodeError:
        raise SegDistillError(f"{path} is not a text file: a recipe is YAML.") from None


def dump(value: Any, *, width: float = 110) -> str:
    """Write plain values as YAML that `parse` reads back unchanged, in lines of about `width` characters."""
    return yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width, default_flow_style=None
    )
