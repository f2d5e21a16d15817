"""All protocols by name."""

from __future__ import annotations

from segdistill.core import unknown
from segdistill.metrics.dice import DICE_AT_HALF
from segdistill.metrics.protocols import Protocol

PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in (DICE_AT_HALF,)}


def find_protocol(name: str) -> Protocol:
    """Look a protocol up by name.

    Raises:
        SegDistillError: If there is none; names the nearest.

    Examples:
        >>> find_protocol("dice@0.5").empty
        'one'
    """
    if name not in PROTOCOLS:
        raise unknown("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]
