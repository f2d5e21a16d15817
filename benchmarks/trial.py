#!/usr/bin/env python3
"""One trial of `benchmarks/methods.py`, which starts this file: train with one method, or measure its cost.

python benchmarks/trial.py alone  --out FILE
python benchmarks/trial.py cost   --method AT --teacher RUN --alone FILE --out FILE
python benchmarks/trial.py memory --method AT --teacher RUN --out FILE
python benchmarks/trial.py train  --method AT --teacher RUN --out RUN --seed 0 --weight 3.1
python benchmarks/trial.py train  --out RUN --seed 0 --times 2       (no method: the undistilled student)
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from benchmarks.current import fingerprint  # noqa: E402
from benchmarks.memory import forget_peak, held, peak  # noqa: E402
from segdistill import Binary, Data, Teacher, config, engine  # noqa: E402
from segdistill.data.polyp import polyp  # noqa: E402
from segdistill.data.samples import Part  # noqa: E402
from segdistill.engine.interrupt import Interrupt  # noqa: E402
from segdistill.engine.job import job  # noqa: E402
from segdistill.engine.logs import Silence  # noqa: E402
from segdistill.engine.preparation import prepare  # noqa: E402
from segdistill.engine.run import Run  # noqa: E402
from segdistill.engine.session import Session  # noqa: E402
from segdistill.export import files  # noqa: E402
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
#: Epochs of the student alone after which a method's pull is compared with that of the labels.
MOMENTS = (0, 1, 2)


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
    chosen = chosen_method(options)
    common = {
        "out": options.out,
        "task": Binary(),
        "training": training(options.seed, options.times),
        "resume": True,
    }

    def work() -> None:
        if not has_teacher(options):
            engine.train(student(options.seed), data(), method=chosen, **common)
        else:
            engine.distill(Run.load(options.teacher).student, student(options.seed), data(), chosen, **common)

    seconds = timed(options.out, work)
    files.write_json(
        options.out / RECORD, {"seconds": seconds, "device": device(), "teacher": taught_by(options)}
    )


def chosen_method(options: argparse.Namespace) -> Method | None:
    """The method of this trial; `None` for the student alone."""
    return method(options.method, options.weight) if options.method else None


def has_teacher(options: argparse.Namespace) -> bool:
    """Whether the method of this trial needs a teacher."""
    return bool(options.method) and Method.catalogue[options.method].traits.teacher


def taught_by(options: argparse.Namespace) -> str | None:
    """Fingerprint of the teacher, without which a number of one could pass for one of another."""
    return fingerprint(options.teacher) if has_teacher(options) else None


def timed(out: Path, work: Callable[[], None]) -> float | None:
    """Do the work on a run: preparing the method, loading, training, validating and testing.

    What a stopped run had taken is kept beside it. While a process is at work the file says `null`, and so it does
    for ever after one that was killed.

    Returns:
        Seconds of `clock` that the run has taken in all its processes; `None` if one of them could not tell.
    """
    kept = out.with_name(f"{out.name}.seconds")
    before = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() and out.is_dir() else 0.0
    files.write_json(kept, None)
    began, took = clock(), None
    try:
        work()
    finally:
        took = None if before is None else before + clock() - began
        files.write_json(kept, took)
    return took


def clock() -> float:
    """Seconds of CPU time, which a busy machine does not stretch; of the clock where a GPU does the work."""
    return time.perf_counter() if torch.cuda.is_available() else time.process_time()


def alone(options: argparse.Namespace) -> None:
    """Weights of the student at every one of `MOMENTS`, without a method."""
    running, kept = session(data(), None, None), []
    for epoch in range(max(MOMENTS) + 1):
        if epoch in MOMENTS:
            kept.append(
                {name: x.detach().clone() for name, x in running.trainable.student.state_dict().items()}
            )
        if epoch < max(MOMENTS):
            running.run_epoch(Interrupt(), options.out)  # too short for a checkpoint
            running.end_epoch()
    files.write(options.out, lambda temporary: torch.save(kept, temporary))


def cost(options: argparse.Namespace) -> None:
    """Milliseconds of a step with the method and without, its weight and its parameters."""
    images = data()
    states = torch.load(options.alone, weights_only=True)
    moments = [taught_session(images, options, state) for state in states]
    weight = balance(moments)  # before any step: a task weight may follow the progress
    plain, taught = session(images, None, None), moments[0]
    seconds = measure({"supervised": stepper(plain), "distilled": stepper(taught)}, options.rounds)
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    ratios = [d / s for d, s in zip(seconds["distilled"], seconds["supervised"], strict=True)]
    found = {
        "weight": getattr(taught.trainable.method, "weight", None) if weight is None else weight,
        "balanced": weight is not None,
        "milliseconds": {name: 1000 * value for name, value in middle.items()},
        "step_ratio": statistics.median(ratios),
        "parameters": trained(taught),
        "device": device(),
        "teacher": taught_by(options),
    }
    files.write_json(options.out, found)


def memory(options: argparse.Namespace) -> None:
    """Peak memory of three steps, less what the process held before it made the networks."""
    images, cuda = data(), torch.cuda.is_available()
    before = held(cuda=cuda)
    step = stepper(taught_session(images, options))
    forget_peak(cuda=cuda)
    for _ in range(3):
        step()
    peak_mib = peak(cuda=cuda) - before
    files.write_json(options.out, {"peak_mib": peak_mib, "device": device(), "teacher": taught_by(options)})


def taught_session(
    images: Data, options: argparse.Namespace, state: Mapping[str, Tensor] | None = None
) -> Session:
    """The session of this trial's method, with its teacher if it needs one; the student as it is, or as it was."""
    teacher = Teacher(Run.load(options.teacher).student) if has_teacher(options) else None
    return session(images, teacher, chosen_method(options), state)


def session(
    images: Data, teacher: Teacher | None, chosen: Method | None, state: Mapping[str, Tensor] | None = None
) -> Session:
    """A training of the engine, ready for its first step, from the weights of `state` if there are any."""
    network = student(0)
    if state:
        network.load_state_dict(state)
    return prepare(
        job(
            network,
            images,
            out="nowhere",
            teacher=teacher,
            method=chosen,
            training=training(0),
            display=Silence(),
        )
    )


def balance(moments: Sequence[Session]) -> float | None:
    """The weight at which the method pulls as much as the full labels, to two digits: the median over moments.

    One moment alone may mislead: before the first step a student that knows nothing gives class prototypes that are
    all alike, so that a method which compares them hardly pulls, and would rule when it does.

    `None` where there is nothing to balance: the method has no weight, or a network of its own works against the
    student, whose pull before it has learnt anything says nothing of its later one.
    """
    weights = [each for session in moments if (each := balanced(session)) is not None]
    return float(f"{statistics.median(weights):.1e}") if len(weights) == len(moments) else None


def balanced(taught: Session) -> float | None:
    """The same at one moment."""
    terms = dict(taught.progress.step0)
    labels, has = terms.pop("task")["gradient"], getattr(taught.trainable.method, "weight", None)
    pull, share = math.hypot(*(term["gradient"] for term in terms.values())), taught.trainable.task_weight
    if has is None or taught.auxiliaries.networks or not (pull > 0 and share > 0):
        return None
    # A method may trade the labels against itself. Its own terms carry its share already, the labels theirs: against
    # what it leaves of them, AICSD, which begins with a hundredth, would be all but switched off. Its terms hand their
    # share over to the labels as the training goes on, so that both pull alike at either end.
    return float(has * labels / share / pull)


def trained(taught: Session) -> int:
    """How many parameters are trained beside the student's: adapters, and networks with an optimiser of their own."""
    chosen = taught.trainable.method
    own = [p for p in chosen.parameters() if p.requires_grad] if chosen else []
    beside = [p for network in taught.auxiliaries.networks for p in network.parameters]
    return sum(p.numel() for p in (*own, *beside))


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


def device() -> str:
    """What it ran on."""
    return (
        torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else f"{torch.get_num_threads()} CPU threads"
    )


def main() -> None:
    """Run one trial."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("alone", "cost", "memory", "train"))
    parser.add_argument("--method", choices=sorted(Method.catalogue), metavar="NAME")
    parser.add_argument("--teacher", type=Path, help="run folder of the teacher")
    parser.add_argument("--alone", type=Path, help="weights of the student alone, for the method's weight")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weight", type=float, help="of the method; its default if not given")
    parser.add_argument("--times", type=float, default=1.0, help="how many times as long a schedule")
    parser.add_argument("--rounds", type=int, default=15, help="steps to time")
    options = parser.parse_args()
    {"alone": alone, "cost": cost, "memory": memory, "train": train}[options.what](options)


if __name__ == "__main__":
    main()
