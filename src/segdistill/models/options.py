"""Check options against a constructor before it runs: `**kwargs` swallow typos silently."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from segdistill.core import SegDistillError, first_line, unknown

NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def named_parameters(build: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """List the parameters that a constructor names, without `*args` and `**kwargs`."""
    try:
        parameters = inspect.signature(build).parameters
    except ValueError:  # some built-in types tell nothing
        return {}
    return {name: parameter for name, parameter in parameters.items() if parameter.kind in NAMED}


def check_options(
    what: str,
    options: Mapping[str, Any],
    *,
    allowed: Iterable[str],
    reserved: Mapping[str, str] | None = None,
) -> None:
    """Refuse options that a constructor does not name, and those that `load` sets itself.

    Args:
        what: Name of the network, for messages.
        options: What the user gave.
        allowed: What the constructor names.
        reserved: Options that are not the user's, each with the way out.

    Raises:
        SegDistillError: At the first wrong option.
    """
    reserved = reserved or {}
    known = set(allowed) - set(reserved)
    for option in options:
        if option in reserved:
            raise SegDistillError(f"Option {option!r} of {what} cannot be given here: {reserved[option]}.")
        if option not in known:
            raise unknown(f"option of {what}", str(option), known)


def construct(what: str, build: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    """Call a constructor; what it raises becomes one sentence.

    Raises:
        SegDistillError: If the constructor refuses its arguments.
    """
    try:
        return build(**options)
    except SegDistillError:
        raise
    except Exception as error:
        raise SegDistillError(
            f"{what} could not be built with {shown(options)}: {first_line(error)}."
        ) from error


def shown(options: Mapping[str, Any]) -> str:
    """Print options as in a recipe."""
    return ", ".join(f"{name}={value!r}" for name, value in options.items()) or "its defaults"
