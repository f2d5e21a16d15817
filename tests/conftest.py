"""What every test finds: one thread, a fixed seed, tiny networks, bright discs, and the real images."""

from __future__ import annotations

import atexit
import gc
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Nothing heavy is imported here: the process that only spreads the tests over others would wait for it.
if TYPE_CHECKING:
    import toys

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# As `quiet` sets it; FFmpeg reads it once, and a test that writes a video of its own may come first.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# Ten thousand small files are quicker to write, and much quicker to delete, where there is no disk.
if Path("/dev/shm").is_dir():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/dev/shm")


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the values computed now into the golden files, instead of comparing with them",
    )


def pytest_configure(config):
    if not config.getoption("numprocesses", None):
        _settle()


def _settle():
    """Make this process one that runs tests."""
    # Looking for cycles after every 700 new objects, as is usual, takes a seventh of the time.
    gc.set_threshold(100_000)
    import torch

    torch.set_num_threads(1)
    os.fsync = _trust_the_disk
    if not torch.cuda.is_available():
        # Seeding a kind of device that is not there keeps a stack trace for later: a millisecond, 15,000 times.
        torch.manual_seed = torch.default_generator.manual_seed


def _trust_the_disk(_file):
    """No test pulls the plug, and thousands of small files need not wait for the disk."""


def pytest_collection_finish():
    """What was imported and collected stays: the garbage collector need not look at it again in every test."""
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # libraries count what is left, after pytest has looked for the last time


def pytest_runtest_setup(item):
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")


@pytest.fixture(autouse=True)
def seeded():
    """Every test starts from the same random state, whatever ran before it."""
    import numpy as np
    import torch

    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries draw from the global state
    torch.manual_seed(0)


@pytest.fixture
def update_golden(request) -> bool:
    return request.config.getoption("--update-golden")


@pytest.fixture
def tiny_net() -> toys.TinyNet:
    """A network without batch norm; `toys.tiny_net(...)` builds others."""
    import toys

    return toys.tiny_net()


@pytest.fixture
def tiny_net_with_norm() -> toys.TinyNet:
    import toys

    return toys.tiny_net(norm=True)


@pytest.fixture
def discs() -> toys.Discs:
    """Eight 32x32 samples; two of them show nothing."""
    import toys

    return toys.Discs()


@pytest.fixture(scope="session")
def polyp_root() -> Path:
    """The folder of real polyp images (PraNet's layout), or a skip."""
    root = os.environ.get("SEGDISTILL_DATA")
    if not root:
        pytest.skip("SEGDISTILL_DATA is not set")
    for folder in (Path(root) / "polyp", Path(root)):
        if (folder / "TrainDataset").is_dir():
            return folder
    pytest.skip(f"no TrainDataset in {root}")
