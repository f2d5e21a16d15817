"""From `{NAME: {option: value}}` to objects. Names, options and types are checked against signatures."""

from __future__ import annotations

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from segdistill.config.variables import expand, refers
from segdistill.core import SegDistillError, unknown

Known = Mapping[str, Callable[..., Any]]


def build(spec: Any, known: Known, *, kind: str = "name") -> Any:
    """Call what a spec names.

    Args:
        spec: A name, or `{name: {option: value}}`.
        known: What the names stand for.
        kind: What is looked for, for messages.

    Raises:
        SegDistillError: If a name or option does not exist, a needed one is missing, or a value has the wrong
            type.

    Examples:
        >>> from segdistill.methods import KD
        >>> build({"KD": {"temperature": "2"}}, {"KD": KD}).temperature
        2.0
    """
    name, options = split(spec, kind)
    target = find(name, known, kind)
    return target(**arguments(target, options, owner=name))


def split(spec: Any, kind: str) -> tuple[str, dict[str, Any]]:
    """A spec as a name and its options.

    Examples:
        >>> split("KD", "method"), split({"KD": {"weight": 2}}, "method")
        (('KD', {}), ('KD', {'weight': 2}))
    """
    if isinstance(spec, str):
        return spec, {}
    if isinstance(spec, Mapping) and len(spec) == 1:
        name, options = next(iter(spec.items()))
        if options is None or isinstance(options, Mapping):
            return str(name), dict(options or {})
    raise SegDistillError(f"A {kind} is written NAME or {{NAME: {{option: value}}}}, got {spec!r}.")


def find(name: str, known: Known, kind: str) -> Callable[..., Any]:
    """Look a name up.

    Raises:
        SegDistillError: If there is none, with what comes closest.
    """
    if name not in known:
        raise unknown(kind, name, known)
    return known[name]


def arguments(target: Callable[..., Any], options: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """Check options against a signature, expand variables, and bring values to the annotated types.

    Raises:
        SegDistillError: If an option does not exist, a needed one is missing, or a value has the wrong type.
    """
    accepted = parameters(target)
    for option in options:
        if option not in accepted:
            raise unknown(f"option of {owner}", str(option), accepted)
    for name, parameter in accepted.items():
        if parameter.default is parameter.empty and name not in options:
            raise SegDistillError(f"{owner} needs the option {name!r}: write {{{owner}: {{{name}: ...}}}}.")
    return {
        option: coerce(expand(value), hint(target, option), where=f"{owner}.{option}")
        for option, value in options.items()
    }


def complete(target: Callable[..., Any], options: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """All options of a target as plain values: those given, then defaults, in the order of the signature.

    References to variables stay as they are, so a written configuration holds no path of one machine.

    Raises:
        SegDistillError: As `arguments`.
    """
    given = arguments(target, options, owner=owner)
    values: dict[str, Any] = {}
    for name in parameters(target):
        value = given[name] if name in given else default(target, name)
        if refers(options.get(name)):
            values[name] = options[name]
        elif is_plain(value):
            values[name] = plain(value)
    return values


def parameters(target: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The explicit parameters by name; `*args` and `**kwargs` are not among them."""
    loose = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {n: p for n, p in inspect.signature(target).parameters.items() if p.kind not in loose}


def default(target: Callable[..., Any], name: str) -> Any:
    """The default of one parameter, also where a dataclass makes it anew each time."""
    for field in dataclasses.fields(target) if dataclasses.is_dataclass(target) else ():
        if field.name == name and field.default_factory is not dataclasses.MISSING:
            return field.default_factory()
    return parameters(target)[name].default


def hint(target: Callable[..., Any], name: str) -> Any:
    """The annotated type of one parameter; `Any` where it is not known at run time."""
    annotation = parameters(target)[name].annotation
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    function = target.__init__ if inspect.isclass(target) else target
    try:
        return eval(
            annotation, getattr(function, "__globals__", {})
        )  # the library's own source, not the user's
    except (NameError, TypeError):
        return Any  # imported for type checkers only


def coerce(value: Any, expected: Any, *, where: str) -> Any:
    """Bring a value to a type: `"8"` to `8`, a list to a tuple; never a truth value to a number, nor infinity.

    Raises:
        SegDistillError: If it does not fit.

    Examples:
        >>> coerce([256, "256"], tuple[int, int], where="data.size")
        (256, 256)
    """
    try:
        result = _adapter(expected).validate_python(value)
    except ValidationError:
        raise _mismatch(value, expected, where) from None
    if isinstance(value, bool) and not isinstance(result, bool):
        raise _mismatch(value, expected, where)
    if isinstance(result, float) and not math.isfinite(result):
        raise SegDistillError(f"{where} must be a finite number, got {value!r}.")
    return result


def _adapter(expected: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(
            expected, config=ConfigDict(arbitrary_types_allowed=True, coerce_numbers_to_str=True)
        )
    except PydanticUserError:  # dataclasses bring a configuration of their own
        return TypeAdapter(expected)


def _mismatch(value: Any, expected: Any, where: str) -> SegDistillError:
    choices = [
        c
        for part in _alternatives(expected)
        if typing.get_origin(part) is typing.Literal
        for c in typing.get_args(part)
        if isinstance(c, str)
    ]
    if choices and isinstance(value, str):
        return unknown(f"value of {where}", value, choices)
    return SegDistillError(f"{where} must be {describe(expected)}, got {value!r}.")


def describe(expected: Any) -> str:
    """A type in a reader's words.

    Examples:
        >>> describe(float | None), describe(tuple[int, int])
        ('a number or null', 'a list [int, int]')
    """
    parts = [_describe(part) for part in _alternatives(expected)]
    return " or ".join(dict.fromkeys(parts))


_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    Path: "a path",
    type(None): "null",
}


def _describe(expected: Any) -> str:
    if expected in _WORDS:
        return _WORDS[expected]
    origin, inner = typing.get_origin(expected), typing.get_args(expected)
    if origin is typing.Literal:
        return " or ".join(map(repr, inner))
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return "a mapping {name: value}"
    if inspect.isclass(origin):
        names = [getattr(i, "__name__", "...") if i is not Ellipsis else "..." for i in inner]
        return f"a list [{', '.join(names)}]"
    return f"a {getattr(expected, '__name__', expected)}"


def _alternatives(expected: Any) -> tuple[Any, ...]:
    if typing.get_origin(expected) in (typing.Union, types.UnionType):
        return typing.get_args(expected)
    return (expected,)


def is_plain(value: Any) -> bool:
    """Whether YAML can hold a value and read it back."""
    if isinstance(value, Mapping):
        return all(isinstance(k, (str, int)) and is_plain(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (str, int, float, bool, Path))


def plain(value: Any) -> Any:
    """Tuples as lists, paths as texts."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
