"""Files in colour: what a protocol says of them.

One channel is read, the first. Where the others would tell something else, the protocol says whether the first is what
its originals read (`Protocol.first_channel_of`); if not, the file is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from segdistill.core import SegDistillError
from segdistill.data.channels import Values, differs, first_channel
from segdistill.metrics.protocols import Protocol, Side

#: Files whose channels differ, by what they are.
Coloured = Mapping[Side, Path]

_REMARKS: dict[Side, str] = {
    "prediction": "Predictions in colour ({n}): channel 0 was scored.",
    "mask": "Masks in colour ({n}): channel 0 was scored.",
}


def check_colours(coloured: Coloured, protocol: Protocol) -> Iterator[str]:
    """Let the protocol decide about files in colour; yields what it says of those that it reads.

    Raises:
        SegDistillError: If its originals do not say which channel counts.
    """
    for side, path in coloured.items():
        if side not in protocol.first_channel_of:
            raise SegDistillError(
                f"{str(path)!r} is in colour, and {protocol.name!r} does not say which channel counts; save one grey "
                "value per pixel."
            )
        yield _REMARKS[side]


def refuse_colour(values: Values, path: Path) -> Values:
    """Give the one channel of class indices.

    Raises:
        SegDistillError: If there are several.
    """
    if differs(values):
        raise SegDistillError(
            f"{str(path)!r} is in colour, where a mask belongs; save one grey value per class."
        )
    return first_channel(values)
