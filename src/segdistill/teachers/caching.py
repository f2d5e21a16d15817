"""Ask a teacher once about every image, and store what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import Dataset

from segdistill.core import SegDistillError
from segdistill.data import Data, loader
from segdistill.data.reading import read_sample
from segdistill.data.samples import digest
from segdistill.data.taught import check_repeats, moves_maps
from segdistill.devices import find_device
from segdistill.taps import LOGITS, Tapped
from segdistill.tasks import Task, to_plain
from segdistill.teachers import identity
from segdistill.teachers.asking import Questions
from segdistill.teachers.cached import Cached
from segdistill.teachers.header import NAME, Header
from segdistill.teachers.live import Teacher
from segdistill.teachers.source import TeacherSource
from segdistill.teachers.store import Writer, naming, writing

_SAVE_EVERY = 32  # batches

Progress = Callable[[int, int], None]


def cache(
    teacher: TeacherSource | Tapped | nn.Module,
    data: Data | Dataset[Any],
    out: str | Path,
    *,
    taps: Iterable[str] = (),
    views: int = 0,
    stride: int = 1,
    size: tuple[int, int] | None = None,
    task: Task | None = None,
    batch_size: int = 8,
    workers: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
) -> Cached:
    """Store a teacher's output on a training set, so that distillation needs the teacher no more.

    A finished cache of the same teacher and data is used as it is; one that was stopped is gone on with. It is
    written beside `out` and gets its name when it is complete.

    Args:
        teacher: The network, or another source.
        data: What will be trained on; of a `Data`, its training set.
        out: Folder of the cache.
        taps: Features to store, beside the logits.
        views: Store so many augmented views per sample, exactly consistent, instead of the image as it is, whose maps
            are moved with it.
        stride: Store logits averaged to a grid so much coarser; 4 saves 15 of 16 bytes where there are many classes.
        size: (height, width) to bring images to before the teacher sees them; that of the augmentation if not given.
        task: What the logits mean, to be checked when they are used.
        batch_size: Images per forward pass.
        workers: Loader processes.
        device: Where the teacher runs: `cpu`, `cuda`, `cuda:1`, `mps`, or `auto` for the fastest that is there.
        progress: Called with the rows that are done, and all.

    Raises:
        SegDistillError: If the folder is of something else, the disk is too small, or a value is too large for half
            precision; if the device is not there.
    """
    for name, value, least in (("views", views, 0), ("stride", stride, 1), ("batch_size", batch_size, 1)):
        if value < least:
            raise SegDistillError(f"{name}={value} is impossible; use at least {least}.")
    place = find_device(device)
    source = Teacher(teacher) if isinstance(teacher, nn.Module) else teacher
    data = data if isinstance(data, Data) else Data(data, data)
    folder, names = Path(out), [name for name in dict.fromkeys(taps) if name != LOGITS]
    source.tap(names)
    header = wanted_header(source, data, views=views, stride=stride, size=size, task=task)
    if not _is_done(folder, header, names):
        with writing(folder):
            if not _is_done(folder, header, names):  # another process may have been faster
                questions = Questions(source, data, header, names, device=place)
                _fill(folder, questions, batch_size=batch_size, workers=workers, progress=progress)
    return Cached(folder, teacher=source)


def find_or_cache(
    teacher: TeacherSource | Tapped | nn.Module,
    data: Data,
    folder: str | Path,
    *,
    taps: Iterable[str] = (),
    views: int = 0,
    stride: int = 1,
    task: Task | None = None,
    batch_size: int = 8,
    workers: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
) -> Cached:
    """Find the cache of a teacher and a data set among those in a folder, or make it there.

    A cache that stores more taps than are needed serves too. See `cache` for the arguments.
    """
    source = Teacher(teacher) if isinstance(teacher, nn.Module) else teacher
    names = sorted({*taps} - {LOGITS})
    header = wanted_header(source, data, views=views, stride=stride, task=task)
    for path in sorted(Path(folder).glob(f"*/{NAME}")):
        if _serves(path.parent, header, names):
            return Cached(path.parent, teacher=source)
    return cache(
        source,
        data,
        Path(folder) / digest([header.as_json(), *names])[:16],
        taps=names,
        views=views,
        stride=stride,
        task=task,
        batch_size=batch_size,
        workers=workers,
        device=device,
        progress=progress,
    )


def _serves(folder: Path, wanted: Header, taps: Sequence[str]) -> bool:
    try:
        found = Cached(folder).header
    except SegDistillError:  # half written, or of another version: no reason to stop
        return False
    return not found.lacks(taps) and found.difference(wanted) is None


def wanted_header(
    source: TeacherSource,
    data: Data,
    *,
    views: int = 0,
    stride: int = 1,
    size: tuple[int, int] | None = None,
    task: Task | None = None,
) -> Header:
    """What the header of a cache of a teacher on a data set says, but for the shapes."""
    if not len(data.train):  # type: ignore[arg-type]
        raise SegDistillError("There are no training images to cache. Name a folder that has some.")
    if views:
        check_repeats(read_sample(data.train, 0), data.augment)
    elif size is None and moves_maps(data.augment):
        size = getattr(data.augment, "size", None)
    return Header(
        teacher=source.fingerprint(),
        preprocessing=identity.preprocessing(source),
        task=None if task is None else to_plain(task),
        data=identity.contents(data.train),
        decoding=identity.decoded_by(data.train),
        size=None if views or size is None else list(size),
        views=views,
        augment=identity.drawn_by(data.augment) if views else None,
        stride=stride,
        shapes={},
    )


def _is_done(folder: Path, wanted: Header, taps: Sequence[str]) -> bool:
    """Whether the folder is what is wanted.

    Raises:
        SegDistillError: If it is something else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    found = Cached(folder).header
    missing = found.lacks(taps)
    difference = found.difference(wanted) or (f"has no {', '.join(missing)}" if missing else None)
    if difference:
        raise SegDistillError(
            f"The teacher cache {str(folder)!r} {difference}. Take another folder, or delete this one."
        )
    return True


def _fill(
    folder: Path, questions: Questions, *, batch_size: int, workers: int, progress: Progress | None
) -> None:
    """Write all rows that a stopped process has not written yet."""
    header = questions.header.with_shapes(questions.shapes())
    with naming(folder):
        writer = Writer(folder, header)
    rows = range(writer.done, writer.header.rows)
    keys = [[(0, row) for row in rows[at : at + batch_size]] for at in range(0, len(rows), batch_size)]
    try:
        for number, batch in enumerate(loader(questions, keys, workers=workers)):  # type: ignore[arg-type]
            maps = questions.maps(batch, header)
            with naming(folder):
                writer.write(maps)
                if number % _SAVE_EVERY == 0:
                    writer.save()
            if progress is not None:
                progress(writer.done, header.rows)
        with naming(folder):
            writer.publish()
    finally:
        with naming(folder):
            writer.close()
