#!/usr/bin/env python3
"""What a frozen teacher saves: peak memory of a KDAS step, ours against the release's way.

    python benchmarks/kdas3_memory.py [--size 224] [--batch 4] [--steps 3] [--device cpu]

Polyp-PVT on PVTv2-b0 learns from Polyp-PVT on PVTv2-b2, on drawn weights and images, by the loss of
`kdas3-as-released`:

    ours       a step of the engine: the teacher runs in inference mode
    release    the same loss as its code has it: the teacher's weights want gradients and its forward pass keeps a
               graph, through which the guiding goes back; these gradients stay, since nothing clears them
    alone      a step of the engine without a teacher, for scale

Each way has a process of its own. On a CPU the number is the peak resident memory during the steps, less what the
process held before it made the networks; on CUDA it is the peak of what torch allocated. Prints and stores it in
benchmarks/results/kdas3-memory.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from benchmarks.memory import forget_peak, held, peak  # noqa: E402
from segdistill import Binary, Tapped, Teacher, Training, config, models  # noqa: E402
from segdistill.data import Augment, Data, synthetic  # noqa: E402
from segdistill.engine.environment import environment  # noqa: E402
from segdistill.engine.job import job  # noqa: E402
from segdistill.engine.logs import Silence  # noqa: E402
from segdistill.engine.preparation import prepare  # noqa: E402
from segdistill.engine.session import Session  # noqa: E402
from segdistill.methods.parts.guiding import symmetrical_guiding  # noqa: E402

RESULTS = Path(__file__).with_name("results") / "kdas3-memory.json"
WAYS = ("ours", "release", "alone")
RECIPE = config.read("kdas3-as-released")
ALPHA, CLIP = 0.3, 0.5
HEADS = ("head1", "head2")
SEED = 0

Step = Callable[[], None]


def network(backbone: str, size: int) -> Tapped:
    """Polyp-PVT with drawn weights."""
    torch.manual_seed(SEED)
    return models.load({"PolypPVT": {"backbone": backbone}}, classes=1, weights="none", size=size)


def session(options: argparse.Namespace, *, teacher: Teacher | None) -> Session:
    """A training of the engine, ready for its first step."""
    drawn = synthetic(train=options.batch, val=1, test=1, size=(options.size, options.size))
    training = Training(
        batch_size=options.batch,
        lr=1e-4,
        weight_decay=1e-4,
        schedule="constant",
        clip_value=CLIP,
        precision="32",
        workers=0,
        accelerator=options.device,
    )
    return prepare(
        job(
            network("pvt_v2_b0", options.size),
            Data(train=drawn.train, val=drawn.val, augment=Augment(options.size)),
            out="nowhere",
            teacher=teacher,
            method=config.build_method(RECIPE["method"]) if teacher else None,
            loss=config.build_loss(RECIPE["loss"]),
            training=training,
            display=Silence(),
        )
    )


def engine_step(options: argparse.Namespace, *, alone: bool) -> Step:
    """A step of the engine."""
    running = session(options, teacher=None if alone else Teacher(network("pvt_v2_b2", options.size)))
    batch = running.runtime.move(next(iter(running.loader)))
    return lambda: running.train_batch(batch)


def released_step(options: argparse.Namespace) -> Step:
    """The same step with a teacher that is not frozen."""
    like = session(options, teacher=None)
    batch = like.runtime.move(next(iter(like.loader)))
    student, optimizer, loss = like.trainable.student.train(), like.optimizer, like.trainable.loss
    teacher = network("pvt_v2_b2", options.size).to(like.runtime.device).eval()
    for net in (student, teacher):
        net.tap(HEADS)

    def step() -> None:
        optimizer.zero_grad()
        ours, theirs = student(batch.image), teacher(batch.image)
        supervised = loss.of(ours, batch.mask, Binary())
        guiding = symmetrical_guiding(ours["head1"], theirs["head1"])
        ((1 - ALPHA) * supervised + ALPHA * guiding).backward()
        torch.nn.utils.clip_grad_value_(student.parameters(), CLIP)
        optimizer.step()

    return step


def measure(way: str, options: argparse.Namespace) -> float:
    """Peak memory of a way's steps, in MiB."""
    cuda = options.device == "cuda"
    before = held(cuda=cuda)
    step = released_step(options) if way == "release" else engine_step(options, alone=way == "alone")
    forget_peak(cuda=cuda)
    for _ in range(options.steps):
        step()
    return round(peak(cuda=cuda) - before, 1)


def in_a_process(way: str, arguments: list[str]) -> float:
    """Measure a way in a process of its own."""
    command = [sys.executable, __file__, *arguments, "--way", way]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(measure(options.way, options))
        return
    found = {way: in_a_process(way, sys.argv[1:]) for way in WAYS}
    for way, mib in found.items():
        print(f"{way:8s} {mib:8.0f} MiB")
    ratio = found["release"] / found["ours"]
    print(f"release / ours: {ratio:.2f}")
    command = " ".join(["python benchmarks/kdas3_memory.py", *sys.argv[1:]])
    settings = {"size": options.size, "batch": options.batch, "steps": options.steps, "seed": SEED}
    record = {"command": command, **settings, "device": options.device, "peak_mib": found, "ratio": ratio}
    RESULTS.write_text(json.dumps({**record, "env": environment()}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
