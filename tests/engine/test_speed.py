"""The speed of a network by itself."""

from __future__ import annotations

import torch

import toys
from segdistill.engine import speed
from segdistill.taps import Tapped


def test_a_speed_says_how_it_was_measured():
    found = speed(Tapped(toys.tiny_net(), size=32), torch.rand(3, 50, 40))
    assert (found.passes, found.size) == (20, (32, 32))
    assert found.fps == 1 / found.seconds > 0
    assert found.how.startswith("the network alone on one image at 32x32, median of 20 passes")
    assert found.how.endswith(f"cpu, {torch.get_num_threads()} thread")


def test_a_slow_network_is_timed_a_few_times_only():
    found = speed(Tapped(toys.tiny_net()), torch.rand(3, 32, 32), budget=0)
    assert found.passes == 3
    assert found.size == (32, 32)
