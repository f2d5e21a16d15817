"""Presets by the names of the projects they come from, one file each. A new file here is found by itself."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from segdistill.core import unknown
from segdistill.methods.base import Method
from segdistill.methods.presets.preset import VARIANTS, Preset

PRESETS: dict[str, Preset] = {}
for _module in iter_modules(__path__):
    if _module.name != "preset":
        _found = import_module(f"{__name__}.{_module.name}").PRESET
        PRESETS[_found.name] = _found


def preset(name: str, variant: str = "paper", **options: Any) -> Method:
    """Make the method of a preset: losses, taps and weights together.

    Args:
        name: Of the preset.
        variant: `paper`, or `as_released` for what the authors' code computes where that differs.
        options: Numbers that the project leaves to its users, such as `alpha` of `polyp-mobilenet`.

    Raises:
        SegDistillError: If there is no such preset or variant.

    Examples:
        >>> [type(part).__name__ for part in preset("cirkd").parts]
        ['KD', 'CIRKD', 'CIRKDMemory']
    """
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    return PRESETS[name](variant, **options)


def uses(method: str) -> list[str]:
    """Names of the presets that a method is part of."""
    return [
        name
        for name, each in PRESETS.items()
        if any(type(part).__name__ == method for variant in VARIANTS for part in each(variant).parts)
    ]


__all__ = ["PRESETS", "VARIANTS", "Preset", "preset", "uses"]
