"""Draw masks on images: overlays, contours, error maps, captioned panels. Arrays in, arrays out; no torch.

Every function takes and gives RGB images, uint8 `(H, W, 3)`; grey ones, `(H, W)`, are accepted too.
"""

from segdistill.viz.colors import (
    BLUE,
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    TRUE_POSITIVE,
    VERMILLION,
    WHITE,
    YELLOW,
    Color,
    Image,
    colorize,
    heatmap,
    palette,
)
from segdistill.viz.masks import contour, error_map, overlay, overlay_labels
from segdistill.viz.panels import panel, sheet

__all__ = [
    "BLUE",
    "FALSE_NEGATIVE",
    "FALSE_POSITIVE",
    "GREEN",
    "ORANGE",
    "PURPLE",
    "SKY",
    "TRUE_POSITIVE",
    "VERMILLION",
    "WHITE",
    "YELLOW",
    "Color",
    "Image",
    "colorize",
    "contour",
    "error_map",
    "heatmap",
    "overlay",
    "overlay_labels",
    "palette",
    "panel",
    "sheet",
]
