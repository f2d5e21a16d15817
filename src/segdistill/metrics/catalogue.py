"""All protocols by name."""

from __future__ import annotations

from dataclasses import replace

from segdistill.core import unknown
from segdistill.metrics.at_size import DICE_AT_320
from segdistill.metrics.calibration import CALIBRATION
from segdistill.metrics.dice import DICE_AT_HALF
from segdistill.metrics.miou import MIOU, VOC_513
from segdistill.metrics.pranet import PRANET_MATLAB, PRANET_PY
from segdistill.metrics.protocols import Protocol
from segdistill.metrics.volumes import CASE_3D, KITS19, KITS23, LITS, SLICE_2D

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        DICE_AT_HALF,
        DICE_AT_320,
        MIOU,
        VOC_513,
        CALIBRATION,
        PRANET_PY,
        PRANET_MATLAB,
        KITS19,
        KITS23,
        LITS,
        CASE_3D,
        SLICE_2D,
    )
}


def find_protocol(name: str) -> Protocol:
    """Look a protocol up by name, or by `NAME/RULE` with another rule for empty masks, which its name then carries.

    Raises:
        SegDistillError: If there is no such protocol, or it does not know the rule; names the nearest.

    Examples:
        >>> find_protocol("dice@0.5").empty, find_protocol("dice@0.5/skip").empty
        ('one', 'skip')
    """
    base, _, rule = name.partition("/")
    if base not in PROTOCOLS:
        raise unknown("protocol", base, PROTOCOLS)
    protocol = PROTOCOLS[base]
    if rule in ("", protocol.empty):
        return protocol
    return replace(protocol, name=name, empty=rule)
