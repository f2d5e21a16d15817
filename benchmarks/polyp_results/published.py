"""What others have published on the same test sets, and what stands between their numbers and ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Pair = tuple[float | None, float | None]


@dataclass(frozen=True)
class Published:
    """One published row.

    Attributes:
        name: The network.
        protocol: Ours that is nearest to theirs.
        how: How they scored.
        scores: Dice and IoU by test set; `None` where a number was not found.
    """

    name: str
    protocol: Literal["pranet-py", "dice@0.5"]
    how: str
    scores: dict[str, Pair]


_MATLAB = "MATLAB evaluator, maps stretched, 352 px"
_LISTED = "as listed by third parties; its own table was not found"
_AT_320 = "threshold 0.5 at 320 px, one training"

PUBLISHED = (
    Published(
        "Polyp-PVT on PVTv2-b2, 25.1 M: the teacher of KDAS3",
        "pranet-py",
        _MATLAB,
        {
            "CVC-300": (0.900, 0.833),
            "CVC-ClinicDB": (0.937, 0.889),
            "CVC-ColonDB": (0.808, 0.727),
            "ETIS-LaribPolypDB": (0.787, 0.706),
            "Kvasir": (0.917, 0.864),
        },
    ),
    Published(
        "KDAS student: Polyp-PVT on PVTv2-b0, 3.7 M",
        "pranet-py",
        _LISTED,
        {
            "CVC-ClinicDB": (0.925, None),
            "CVC-ColonDB": (0.759, None),
            "ETIS-LaribPolypDB": (0.755, None),
            "Kvasir": (0.913, 0.848),
        },
    ),
    Published(
        "SAM-EG student: Polyp-PVT on PVTv2-b0, 3.7 M, of the same group",
        "pranet-py",
        _LISTED,
        {"Kvasir": (0.915, 0.862)},
    ),
    Published(
        "MobileNetV2 project, teacher: U-Net++ on ResNet-50, 49.0 M",
        "dice@0.5",
        _AT_320,
        {
            "CVC-300": (0.8679, None),
            "CVC-ClinicDB": (0.9215, None),
            "CVC-ColonDB": (0.6765, None),
            "ETIS-LaribPolypDB": (0.6378, None),
            "Kvasir": (0.8776, None),
        },
    ),
    Published(
        "MobileNetV2 project, student alone: U-Net on MobileNetV2, 6.6 M",
        "dice@0.5",
        _AT_320,
        {
            "CVC-300": (0.8500, None),
            "CVC-ClinicDB": (0.8810, None),
            "CVC-ColonDB": (0.6867, None),
            "ETIS-LaribPolypDB": (0.6157, None),
            "Kvasir": (0.8774, None),
        },
    ),
    Published(
        "MobileNetV2 project, distilled student",
        "dice@0.5",
        _AT_320,
        {
            "CVC-300": (0.8380, None),
            "CVC-ClinicDB": (0.8915, None),
            "CVC-ColonDB": (0.6854, None),
            "ETIS-LaribPolypDB": (0.6427, None),
            "Kvasir": (0.8917, None),
        },
    ),
)
