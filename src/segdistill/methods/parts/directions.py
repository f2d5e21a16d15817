"""Vectors of unit length."""

from __future__ import annotations

import torch
from torch import Tensor


def unit(x: Tensor, dim: int = 1) -> Tensor:
    """Scale to unit length along a dimension; a zero vector stays zero, and gets a gradient of zero.

    Dividing by a tiny constant instead would multiply the gradient of a dead feature by its inverse.
    """
    length: Tensor = torch.linalg.vector_norm(x, dim=dim, keepdim=True)
    return x / length.where(length > 0, torch.inf)
