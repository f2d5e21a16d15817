"""Supervised losses, one file each. A new file here is found by itself."""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

from segdistill.losses.base import Loss, default  # noqa: E402

globals().update(Loss.catalogue)
__all__ = ["Loss", "default", *sorted(Loss.catalogue)]
