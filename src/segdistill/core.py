"""The few values that travel through the whole library. Imports nothing but the standard library."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what predicts from an exported student starts without torch
    from torch import Tensor


@dataclass
class Batch:
    """What a data loader yields.

    Attributes:
        image: `(B, C, *spatial)` floats in [0, 1]; every network normalises for itself.
        mask: `(B, *spatial)` class indices, or `(B, C, *spatial)` zeros and ones for multi-label tasks.
        ids: One stable name per sample, the key of caches and reports.
        teacher: A stored teacher output, where there is one.
    """

    image: Tensor
    mask: Tensor
    ids: list[str] = field(default_factory=list)
    teacher: Output | None = None


@dataclass
class Output:
    """What a network returns: logits, and the features that were asked for by name.

    Attributes:
        logits: `(B, C, *spatial)` at the size of the image.
        features: `(B, C, *spatial)` maps by tap name, each at its own size.
    """

    logits: Tensor
    features: dict[str, Tensor] = field(default_factory=dict)

    def __getitem__(self, tap: str) -> Tensor:
        """Look up a tap; `"logits"` is always there."""
        if tap == "logits":
            return self.logits
        if tap not in self.features:
            raise unknown("tap", tap, {"logits", *self.features})
        return self.features[tap]


class SegDistillError(Exception):
    """Base of all mistakes a user can make and mend: one sentence with what, which value, and the way out."""


def first_line(error: BaseException) -> str:
    """Give what another library's error says first, without a full stop, or its type where it says nothing."""
    message = error.args[0] if isinstance(error, KeyError) and error.args else error
    lines = str(message).strip().splitlines()
    return lines[0].rstrip(".:") if lines else type(error).__name__


def unknown(kind: str, name: str, known: Iterable[str]) -> SegDistillError:
    """Build the one message for every wrong name in the library.

    Args:
        kind: What was looked for, such as `"tap"` or `"method"`.
        name: What the user wrote.
        known: What would have been right.

    Examples:
        >>> str(unknown("method", "CWDD", ["CWD", "KD"]))
        "Unknown method 'CWDD'. Did you mean 'CWD'?"
    """
    # Aliases of layers before their hundreds of dotted names, since not all are shown.
    candidates = sorted(known, key=lambda candidate: ("." in candidate, candidate))
    same = [candidate for candidate in candidates if candidate.casefold() == name.casefold()]
    close = same or difflib.get_close_matches(name, candidates, n=3)
    hint = (
        f"Did you mean {', '.join(map(repr, close))}?" if close else f"Known: {', '.join(candidates[:20])}."
    )
    return SegDistillError(f"Unknown {kind} {name!r}. {hint}")
