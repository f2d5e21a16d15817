"""Similarity aggregation: reasoning among a few places of the image, guided by the finest features."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

GRID = 4
STATES = 16


class SAM(nn.Module):
    """Gather positions into the nodes of a small graph, let these exchange what they know, and spread it again.

    Args:
        width: Channels of the features.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        nodes = GRID * GRID
        self.state = nn.Conv2d(width, STATES, 1)
        self.project = nn.Conv2d(width, STATES, 1)
        self.among_nodes = nn.Conv1d(nodes, nodes, 1)
        self.among_states = nn.Conv1d(STATES, STATES, 1, bias=False)
        self.extend = nn.Conv2d(STATES, width, 1, bias=False)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """Features and guide, both `(B, C, H, W)`, to features."""
        projected = self.project(x)
        share = (self._anchors(projected, guide).mT @ projected.flatten(2)).softmax(dim=1)  # (B, nodes, HW)
        spread = self._reason(self.state(x).flatten(2) @ share.mT) @ share
        result: Tensor = x + self.extend(spread.unflatten(2, x.shape[2:]))
        return result

    def _anchors(self, projected: Tensor, guide: Tensor) -> Tensor:
        """What stands at every node, `(B, states, nodes)`: a grid over the image without its rim."""
        # The guide is a softmax over all channels, of which the second alone is used: so it was trained.
        seen = projected * guide.softmax(dim=1)[:, 1:2]
        return F.adaptive_avg_pool2d(seen, GRID + 2)[:, :, 1:-1, 1:-1].flatten(2)

    def _reason(self, x: Tensor) -> Tensor:
        told = self.among_nodes(x.mT).mT - x
        result: Tensor = self.among_states(told).relu()
        return result
