#!/usr/bin/env python3
"""One trial of `benchmarks/methods.py`, which starts this file: train with one method, or measure its cost.

python benchmarks/trial.py cost  --method AT --teacher RUN --out FILE
python benchmarks/trial.py train --method AT --teacher RUN --out RUN --seed 0 --weight 3.1
python benchmarks/trial.py train --out RUN --seed 0 --times 2        (no method: the undistilled student)
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

import torch  # noqa: E402

from segdistill import Binary, Data, Teacher, config, engine  # noqa: E402
from segdistill.data.polyp import polyp  # noqa: E402
from segdistill.data.samples import Part  # noqa: E402
from segdistill.engine.job import job  # noqa: E402
from segdistill.engine.logs import Silence  # noqa: E402
from segdistill.engine.preparation import prepare  # noqa: E402
from segdistill.engine.run import Run  # noqa: E402
from segdistill.engine.session import Session  # noqa: E402
from segdistill.methods import Method  # noqa: E402

IMAGES = 400
SIZE = 192
TESTS = ("Kvasir", "CVC-ClinicDB")
STUDENT: dict[str, Any] = {
    "smp.Unet": {
        "encoder_name": "tu-tf_efficientnet_lite0",
        "decoder_channels": [64, 48, 32, 24, 16],  # every alias exists, and costs little
    }
}
TRAINING: dict[str, Any] = {
    "epochs": 6,
    "batch_size": 8,
    "lr": 1e-3,
    "lr_factors": {"encoder": 0.3},
    "schedule": "one-cycle",
    "clip_norm": 1.0,
    "ema": 0.98,
    "workers": 0,
}
#: Where the defaults of a class are not what anybody would begin with.
OPTIONS: dict[str, dict[str, Any]] = {"KD": {"temperature": 2.0}}
RECORD = "trial.json"


def data() -> Data:
    """`IMAGES` training images, always the same; the usual validation and test sets."""
    root = os.environ.get("SEGDISTILL_DATA")
    if not root:
        sys.exit("SEGDISTILL_DATA is not set: name the folder that holds polyp/.")
    whole = polyp(
        Path(root) / "polyp", val_fraction=0.05, size=SIZE, tests=TESTS, cache=ROOT / "runs" / "cache"
    )
    ids = random.Random(0).sample(sorted(whole.train.ids), IMAGES)
    return dataclasses.replace(whole, train=Part(whole.train, ids), split=None)


def student(seed: int) -> Any:
    """The network to train, from ImageNet weights; the seed draws its decoder."""
    section = {"net": STUDENT, "weights": "imagenet", "size": [SIZE, SIZE]}
    return config.build_network(section, task=Binary(), seed=seed)


def method(name: str, weight: float | None) -> Method:
    """A method with the options of this benchmark."""
    options = dict(OPTIONS.get(name, {}))
    if weight is not None:
        options["weight"] = weight
    return Method.catalogue[name](**options)


def training(seed: int, times: float = 1.0) -> engine.Training:
    """The schedule, or one `times` as long."""
    return engine.Training(**{**TRAINING, "epochs": round(TRAINING["epochs"] * times), "seed": seed})


def train(options: argparse.Namespace) -> None:
    """Train one run, or go on with it, and note what it took."""
    chosen = method(options.method, options.weight) if options.method else None
    common = {
        "out": options.out,
        "task": Binary(),
        "training": training(options.seed, options.times),
        "resume": True,
    }
    if chosen is None or not chosen.traits.teacher:
        engine.train(student(options.seed), data(), method=chosen, **common)
    else:
        engine.distill(Run.load(options.teacher).student, student(options.seed), data(), chosen, **common)
    write(options.out / RECORD, {"peak_megabytes": peak(), "device": device()})


def cost(options: argparse.Namespace) -> None:
    """Milliseconds of a step with the method and without, its weight and its parameters."""
    images, chosen = data(), method(options.method, None)
    teacher = Teacher(Run.load(options.teacher).student) if chosen.traits.teacher else None
    plain, taught = session(images, None, None), session(images, teacher, chosen)
    seconds = measure({"supervised": stepper(plain), "distilled": stepper(taught)}, options.rounds)
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    ratios = [d / s for d, s in zip(seconds["distilled"], seconds["supervised"], strict=True)]
    found = {
        "weight": balance(taught),
        "milliseconds": {name: 1000 * value for name, value in middle.items()},
        "times": statistics.median(ratios),
        "parameters": trained(taught),
        "device": device(),
    }
    write(options.out, found)


def session(images: Data, teacher: Teacher | None, chosen: Method | None) -> Session:
    """A training of the engine, ready for its first step."""
    return prepare(
        job(
            student(0),
            images,
            out="nowhere",
            teacher=teacher,
            method=chosen,
            training=training(0),
            display=Silence(),
        )
    )


def balance(taught: Session) -> float | None:
    """The weight at which the method pulls as much as the labels at the first step, to two digits.

    `None` if the method has no weight.
    """
    terms = dict(taught.progress.step0)
    labels, has = terms.pop("task")["gradient"], getattr(taught.trainable.method, "weight", None)
    pull = math.hypot(*(term["gradient"] for term in terms.values()))
    return float(f"{has * labels / pull:.1e}") if has is not None and pull > 0 else has


def trained(taught: Session) -> int:
    """How many parameters the method trains."""
    chosen = taught.trainable.method
    return sum(p.numel() for p in chosen.parameters() if p.requires_grad) if chosen else 0


def stepper(running: Session) -> Callable[[], None]:
    """A step of the engine on a batch that is there."""
    batch = running.runtime.move(next(iter(running.loader)))

    def step() -> None:
        running.train_batch(batch)
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    return step


def measure(steps: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every step in every round, side by side, so that what slows the machine slows both."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(-2, rounds):  # two rounds to warm up
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn >= 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def peak() -> float:
    """The most memory this process held, in megabytes: of the GPU where there is one."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def device() -> str:
    """What it ran on."""
    return (
        torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else f"{torch.get_num_threads()} CPU threads"
    )


def write(path: Path, record: dict[str, Any]) -> None:
    """Write a record, complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def main() -> None:
    """Run one trial."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("cost", "train"))
    parser.add_argument("--method", choices=sorted(Method.catalogue), metavar="NAME")
    parser.add_argument("--teacher", type=Path, help="run folder of the teacher")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weight", type=float, help="of the method; its default if not given")
    parser.add_argument("--times", type=float, default=1.0, help="how many times as long a schedule")
    parser.add_argument("--rounds", type=int, default=15, help="steps to time")
    options = parser.parse_args()
    {"cost": cost, "train": train}[options.what](options)


if __name__ == "__main__":
    main()
