"""What has to be installed beside the library."""

from __future__ import annotations

from importlib.util import find_spec

from segdistill.core import SegDistillError


def check_installed(*packages: str, purpose: str) -> None:
    """Refuse at once what cannot be done.

    Args:
        packages: Names to import.
        purpose: What needs them, as a sentence begins.

    Raises:
        SegDistillError: If one of them is missing.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise SegDistillError(
            f"{purpose} needs {' and '.join(missing)}, not installed here: pip install 'segdistill[deploy]'."
        )
