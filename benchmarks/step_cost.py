#!/usr/bin/env python3
"""What the engine costs on top of plain PyTorch: ratios of one interleaved run.

    python benchmarks/step_cost.py [--rounds 60] [--size 256] [--batch 8] [--cached-rounds 12]

Prints and stores in benchmarks/results/step-cost.json the median over rounds of these ratios, each of one round:
what slows the machine for a second slows both sides.

    supervised     step of the engine / the same step in a bare torch loop
    live           distillation step of the engine / (its supervised step + the teacher's forward in inference mode)
    depthwise      bare torch loop / the same with float32 gradients of slow depthwise convolutions (CPU, bf16)

and, from UnetPlusPlus with resnet50 to Unet with mobilenet_v2 at 320 pixels and batch 8, each step with its loading:

    cached         step from a stored teacher / supervised step (to be at most 1.05)
    naive          step with a live teacher in float32, as mostly written / step from a stored teacher (at least 10)
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cached_cost
import torch
from torch import Tensor

from segdistill import Batch, Binary, Tapped, Teacher, Training, losses, models
from segdistill.data import Augment, Data, synthetic
from segdistill.engine.environment import environment
from segdistill.engine.job import job
from segdistill.engine.logs import Silence
from segdistill.engine.preparation import prepare
from segdistill.engine.session import Session
from segdistill.methods import KD

RESULTS = Path(__file__).with_name("results") / "step-cost.json"
STUDENT = {"smp.FPN": {"encoder_name": "tu-tf_efficientnet_lite0", "decoder_pyramid_channels": 64}}
TEACHER = {"smp.Unet": {"encoder_name": "tu-tf_efficientnet_lite2"}}
CLIP = 1.0

Numbers = dict[str, float]


def network(spec: dict[str, Any], size: int) -> Tapped:
    """A network with drawn weights."""
    torch.manual_seed(0)
    return models.load(spec, classes=1, weights="none", size=size)


def session(data: Data, options: argparse.Namespace, *, teacher: Teacher | None) -> Session:
    """A training of the engine, ready for its first step."""
    return prepare(
        job(
            network(STUDENT, options.size),
            data,
            out="nowhere",
            teacher=teacher,
            method=KD() if teacher else None,
            training=Training(epochs=1000, batch_size=options.batch, clip_norm=CLIP, workers=0),
            display=Silence(),
        )
    )


def engine_step(running: Session, batch: Batch) -> Callable[[], None]:
    """A step of the engine, with everything it checks, counts and shows."""

    def step() -> None:
        running.train_batch(running.runtime.move(batch))
        running.show()

    return step


def bare_step(like: Session, batch: Batch, options: argparse.Namespace, *, plain: bool) -> Callable[[], None]:
    """The same step as anybody writes it; `plain` without the float32 gradients of depthwise convolutions."""
    runtime = like.runtime
    net, loss, task = network(STUDENT, options.size), losses.default(Binary()), Binary()
    net = runtime.place(net).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, foreach=True)
    dtype = {"bf16": torch.bfloat16, "16": torch.float16}.get(runtime.precision)
    batch = runtime.move(batch)

    def forward() -> Tensor:
        with torch.autocast(runtime.device.type, dtype, enabled=dtype is not None):
            return loss(net(batch.image).logits, batch.mask, task)

    def step() -> None:
        if plain:
            value = forward()
        else:
            with runtime.forward():
                value = forward()
        value.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad()

    return step


def teacher_step(teacher: Teacher, like: Session, batch: Batch) -> Callable[[], None]:
    """The teacher's forward pass alone."""
    batch = like.runtime.move(batch)

    def step() -> None:
        with torch.inference_mode(), like.runtime.forward():
            teacher.net(batch.image)

    return step


def measure(steps: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every step in every round; the order turns, so that no one is always first."""
    names, seconds = list(steps), {name: [] for name in steps}
    for turn in range(-2, rounds):  # two rounds to warm up
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start = time.perf_counter()
            steps[name]()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if turn >= 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(seconds: dict[str, list[float]], of: str, *to: str) -> float:
    """Median over rounds of one step's time in the sum of others'."""
    return statistics.median(
        value / sum(parts) for value, *parts in zip(seconds[of], *(seconds[name] for name in to), strict=True)
    )


def medians(seconds: dict[str, list[float]]) -> Numbers:
    """Median over rounds of every step's time."""
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--cached-rounds", type=int, default=12, help="0 leaves the cached steps out")
    options = parser.parse_args()
    middle, ratios = engine(options) if options.rounds else ({}, {})
    if options.cached_rounds:
        for known, found in zip((middle, ratios), cached(options.cached_rounds), strict=True):
            known.update(found)
    for name, value in middle.items():
        print(f"{name:32s} {1000 * value:8.1f} ms")
    for name, value in ratios.items():
        print(f"{name:32s} {value:8.3f}")
    record = {
        "command": "python benchmarks/step_cost.py",
        "ratios": ratios,
        "median_seconds": middle,
        "env": environment(),
    }
    if options.rounds and options.cached_rounds:
        RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def cached(rounds: int) -> tuple[Numbers, Numbers]:
    """Medians and ratios of the steps from a cache."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(cached_cost.steps(Path(folder)), rounds)
    return medians(seconds), {
        "cached": ratio(seconds, "cached, with loading", "supervised, with loading"),
        "naive": ratio(seconds, "naive live", "cached, with loading"),
    }


def engine(options: argparse.Namespace) -> tuple[Numbers, Numbers]:
    """Medians and ratios of the engine's own steps."""
    drawn = synthetic(train=options.batch, val=1, test=1)
    data = Data(train=drawn.train, val=drawn.val, augment=Augment(options.size))
    teacher = Teacher(network(TEACHER, options.size))
    supervised, live = (session(data, options, teacher=t) for t in (None, teacher))
    batch = next(iter(supervised.loader))
    seconds = measure(
        {
            "supervised": engine_step(supervised, batch),
            "bare": bare_step(supervised, batch, options, plain=False),
            "plain": bare_step(supervised, batch, options, plain=True),
            "live": engine_step(live, batch),
            "teacher": teacher_step(teacher, live, batch),
        },
        options.rounds,
    )
    return medians(seconds), {
        "supervised": ratio(seconds, "supervised", "bare"),
        "supervised against plain torch": ratio(seconds, "supervised", "plain"),
        "live": ratio(seconds, "live", "supervised", "teacher"),
        "depthwise": ratio(seconds, "plain", "bare"),
    }


if __name__ == "__main__":
    main()
