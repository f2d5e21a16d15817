"""All protocols by name."""

from __future__ import annotations

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
