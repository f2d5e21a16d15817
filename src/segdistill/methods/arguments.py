"""What a method was made with: kept where it is made, and written as the call that makes it again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any


def keeping(init: Callable[..., None]) -> Callable[..., None]:
    """A constructor that keeps its arguments under `arguments`, whatever becomes of them in the object."""
    signature = inspect.signature(init)

    @wraps(init)
    def kept(self: object, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        if type(self).__init__ is kept:  # not where a subclass calls it with what it makes of its own
            given = signature.bind(self, *args, **options).arguments
            _, *own = given.items()
            self.arguments = dict(own)  # type: ignore[attr-defined]

    return kept


def call(made: object, arguments: Mapping[str, Any]) -> str:
    """The call that makes an object, with those arguments that differ from their defaults."""
    parameters = inspect.signature(type(made)).parameters
    changed = [
        f"{name}={written(value)}" for name, value in arguments.items() if value != parameters[name].default
    ]
    return f"{type(made).__name__}({', '.join(changed)})"


def written(value: object) -> str:
    """A value as in code; numbers with four digits, which is what a reader wants to know."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name!r}: {written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(written, value))}]"
    arguments = getattr(value, "arguments", None)
    return repr(value) if arguments is None else call(value, arguments)
