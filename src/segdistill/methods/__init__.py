"""Distillation methods, one file each. A new file here is found by itself."""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

from segdistill.methods.base import Method, PairMethod, Sum  # noqa: E402

globals().update(Method.catalogue)
__all__ = ["Method", "PairMethod", "Sum", *sorted(Method.catalogue)]
