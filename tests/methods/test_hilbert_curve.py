"""The curve visits every cell once, by steps to neighbours, and keeps neighbours together."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segdistill.core import SegDistillError
from segdistill.methods.parts.hilbert_curve import hilbert_order


def cells(shape):
    return torch.stack(torch.unravel_index(hilbert_order(shape), shape), dim=1)


def steps(shape):
    return cells(shape).diff(dim=0).abs().sum(dim=1)


def assert_is_a_curve(shape):
    order = hilbert_order(shape)
    assert torch.equal(order.sort().values, torch.arange(order.numel()))
    assert (steps(shape) == 1).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 11), min_size=1, max_size=3))
def test_any_box_is_filled_by_steps_to_neighbours(shape):
    assert_is_a_curve(tuple(shape))


@pytest.mark.parametrize(
    "shape",
    [(12, 16), (16, 12), (4, 8, 8), (8, 7, 7), (16, 8, 8), (1, 1, 9), (3, 1, 2), (45, 45), (5, 24, 31)],
)
def test_boxes_of_unequal_edges_are_filled_too(shape):
    assert_is_a_curve(shape)


@pytest.mark.parametrize("shape", [(8, 8), (32, 32), (8, 8, 8), (4, 4, 4)])
def test_powers_of_two_are_filled_block_by_block_at_every_scale(shape):
    visited, side = cells(shape), 2
    while side < shape[0]:
        blocks = (visited // side).view(-1, side ** len(shape), len(shape))
        assert (blocks == blocks[:, :1]).all()
        side *= 2


def test_four_cells_are_known():
    assert hilbert_order((2, 2)).tolist() == [0, 1, 3, 2]
    assert hilbert_order((4,)).tolist() == [0, 1, 2, 3]


def test_neighbours_on_the_curve_are_nearer_than_along_rows():
    visited = cells((32, 32)).float()
    rows = torch.cartesian_prod(torch.arange(32), torch.arange(32)).float()
    curve, row = ((x[20:] - x[:-20]).norm(dim=1).mean() for x in (visited, rows))
    assert curve < row / 2


def test_the_order_is_kept():
    assert hilbert_order((6, 5)) is hilbert_order((6, 5))


def test_an_order_made_for_inference_serves_training_too():
    with torch.inference_mode():
        order = hilbert_order((3, 7))
    torch.randn(1, 1, 21, requires_grad=True).index_select(2, order).sum().backward()


@pytest.mark.parametrize("shape", [(), (2, 2, 2, 2), (4, 0)])
def test_other_boxes_are_refused(shape):
    with pytest.raises(SegDistillError, match="A Hilbert curve needs a box of one to three sides"):
        hilbert_order(shape)
