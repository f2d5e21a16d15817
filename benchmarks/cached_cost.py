"""Steps of a distillation from a cache, beside the supervised and the naive live one; `step_cost.py` measures them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from segdistill import Batch, Binary, Tapped, Teacher, Training, cache, losses, models
from segdistill.data import Augment, Data, Seeded, Stored, SyntheticSet, collate
from segdistill.engine.job import job
from segdistill.engine.logs import Silence
from segdistill.engine.preparation import prepare
from segdistill.engine.session import Session
from segdistill.methods import KD

STUDENT = {"smp.Unet": {"encoder_name": "mobilenet_v2"}}
TEACHER = {"smp.UnetPlusPlus": {"encoder_name": "resnet50"}}
SIZE, BATCH = 320, 8
TEMPERATURE = 4.0

Step = Callable[[], None]


def steps(folder: Path, *, precision: str = "auto") -> dict[str, Step]:
    """Whole steps, with loading, by name; the naive one computes in float32 and channels first, as most code does.

    Args:
        folder: For decoded images and the teacher's maps.
        precision: Of the engine's steps.
    """
    frames = SyntheticSet(BATCH, size=(SIZE, SIZE))
    data = Data(Stored(frames, folder / "images"), SyntheticSet(1, size=(SIZE, SIZE)), augment=Augment(SIZE))
    teacher = Teacher(network(TEACHER))
    stored = cache(teacher, data, folder / "maps")
    training = Training(
        epochs=100_000, batch_size=BATCH, optimizer="adamw", workers=0, precision=precision, lr=1e-5
    )
    supervised, cached = (
        prepare(
            job(
                network(STUDENT),
                data,
                out="nowhere",
                teacher=source,
                method=KD(temperature=TEMPERATURE) if source else None,
                training=training,
                display=Silence(),
            )
        )
        for source in (None, stored)
    )
    maps = replace(data, maps=stored.maps(data))
    return {
        "supervised, with loading": engine_step(supervised, batches(data)),
        "cached, with loading": engine_step(cached, batches(maps)),
        "loading": loading_step(batches(data)),
        "loading with maps": loading_step(batches(maps)),
        "naive live": naive_step(teacher, batches(data)),
    }


def network(spec: dict[str, Any]) -> Tapped:
    """A network with drawn weights."""
    torch.manual_seed(0)
    return models.load(spec, classes=1, weights="none", size=SIZE)


def batches(data: Data) -> Iterator[Batch]:
    """Batch after batch, as the engine's loader gives them in its own process."""
    samples = Seeded(data.train, data.augment, maps=data.maps)
    for epoch in count():
        yield collate([samples[(epoch, index)] for index in range(BATCH)])


def engine_step(running: Session, source: Iterator[Batch]) -> Step:
    """Load a batch, and take the engine's step."""

    def step() -> None:
        running.train_batch(running.runtime.move(next(source)))
        running.show()

    return step


def loading_step(source: Iterator[Batch]) -> Step:
    """Load a batch."""
    return lambda: next(source) and None


def naive_step(teacher: Teacher, source: Iterator[Batch]) -> Step:
    """Distillation as it is mostly written: both networks in float32, the teacher under `no_grad` in every step."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    student, big = network(STUDENT).to(device).train(), network(TEACHER).to(device).eval()
    big.load_state_dict(teacher.net.state_dict())
    task, loss = Binary(), losses.default(Binary())
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-5)

    def step() -> None:
        batch = next(source)
        image, mask = batch.image.contiguous().to(device), batch.mask.to(device)
        with torch.no_grad():
            soft = (big(image).logits / TEMPERATURE).sigmoid()
        logits = student(image).logits
        hard = loss(logits, mask, task)
        distilled = F.binary_cross_entropy_with_logits(logits / TEMPERATURE, soft) * TEMPERATURE**2
        optimizer.zero_grad()
        (hard + distilled).backward()
        optimizer.step()

    return step
