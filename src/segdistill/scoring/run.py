"""Score folders of predictions, in one process or several, with the same result to the last bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segdistill.core import SegDistillError
from segdistill.data.samples import named
from segdistill.metrics.base import Metric
from segdistill.metrics.protocols import Protocol, Reads
from segdistill.scoring.colour import check_colours
from segdistill.scoring.files import ScoredFiles
from segdistill.scoring.images import RESIZED, Sample, wrong_size
from segdistill.scoring.pairs import Pair, find_pairs
from segdistill.scoring.processes import in_processes, processes_for
from segdistill.scoring.readers import Reader, choose_reader
from segdistill.scoring.results import Scores
from segdistill.scoring.values import UnreadableError
from segdistill.tasks import Task

_IMAGES_PER_JOB, _VOLUMES_PER_JOB = 8, 1
_IMAGES_PER_PROCESS, _VOLUMES_PER_PROCESS = 250, 2  # what takes longer than to start a process

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Job:
    """A few pairs of one set, and what to do with them."""

    name: str
    pairs: Sequence[Pair]
    reader: Reader
    protocols: Sequence[Protocol]
    task: Task | None
    resize: bool


@dataclass
class Part:
    """What came of a job, or of all jobs of a set.

    Attributes:
        metrics: By protocol.
        remarks: What reading had to say, for one protocol or for all (`""`), with the number of files.
        bad: Why a pair could not be read, by its id.
    """

    metrics: dict[str, Metric]
    remarks: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: dict[str, str] = field(default_factory=dict)

    def merge(self, other: Part) -> None:
        """Take in another part of the same set."""
        for name, metric in self.metrics.items():
            metric.merge(other.metrics[name])
        self.remarks += other.remarks
        self.bad |= other.bad


def score(
    predicted: str | Path,
    target: str | Path,
    protocols: Sequence[Protocol],
    *,
    task: Task | None = None,
    resize: bool = False,
    skip_bad: bool = False,
    workers: int | None = 1,
    progress: Progress | None = None,
) -> list[Scores]:
    """Score prediction files against mask files of the same names.

    Memory does not grow with the number of files, but for one row of scores each.

    Args:
        predicted: Folder of maps, masks or volumes, flat or one sub-folder per set.
        target: Folder of true masks, laid out alike, with or without `masks` folders.
        protocols: How to score; those that read maps, masks and volumes may stand together.
        task: The classes of true masks that hold class indices. If not given, what the protocol fixes; otherwise, and
            with `Binary`, masks are greys, and those above half are foreground.
        resize: Bring predictions of another size to that of their masks; the rule is noted.
        skip_bad: Leave out pairs with a file that cannot be read, and note them.
        workers: Processes; as many as pay if `None`.
        progress: Called with the number of pairs done and their total.

    Returns:
        Scores by protocol, in the order they were asked for.

    Raises:
        SegDistillError: If folders, names, sizes, grids or values do not fit, or a file cannot be read.
    """
    if not protocols:
        raise SegDistillError("There is no protocol to score by: name at least one.")
    scores = {each.name: Scores(each.name, each.version) for each in protocols}
    plans = [
        _Plan(reads, [each for each in protocols if each.reads == reads])
        for reads in dict.fromkeys(each.reads for each in protocols)
    ]
    for plan in plans:  # all of them, before the long work starts
        plan.prepare(Path(predicted), Path(target), task, resize=resize)
    count = _counter(sum(len(job.pairs) for plan in plans for job in plan.jobs), progress)
    for plan in plans:
        parts = _collect(plan.jobs, workers or processes_for(len(plan.jobs), plan.jobs_per_process), count)
        _refuse_bad(parts, plan.jobs, skip_bad=skip_bad)
        for protocol in plan.protocols:
            _fill(scores[protocol.name], protocol, parts, plan.notes)
            scores[protocol.name].files.update(plan.files)
    return list(scores.values())


def work(job: Job) -> Part:
    """Read and score the pairs of a job."""
    part = Part({each.name: each.metric(job.task) for each in job.protocols})
    for pair in job.pairs:
        try:
            sample = job.reader(pair)
        except UnreadableError as error:
            part.bad[pair.id] = str(error)
            continue
        part.remarks.update(("", remark) for remark in sample.remarks)
        for protocol in job.protocols:
            part.remarks.update(
                (protocol.name, remark) for remark in check_colours(sample.coloured, protocol)
            )
            metric = part.metrics[protocol.name]
            part.remarks.update((protocol.name, remark) for remark in _feed(metric, sample, pair, job))
    return part


def _feed(metric: Metric, sample: Sample, pair: Pair, job: Job) -> Iterator[str]:
    """Give a pair to a metric; yields what had to be done to it."""
    rest = ([sample.target], [pair.id])
    try:
        metric.update([sample.predicted], *rest, spacing=sample.spacing)
    except SegDistillError as error:
        # Protocols with a size of their own take predictions of any size; the others refuse them before they count.
        if sample.fitted is None:
            raise
        if not job.resize:
            raise wrong_size(pair, sample) from error
        metric.update([sample.fitted()], *rest, spacing=sample.spacing)
        yield RESIZED.replace("{rule}", job.reader.rule)


class _Plan:
    """The jobs of all protocols that read the same."""

    def __init__(self, reads: Reads, protocols: Sequence[Protocol]) -> None:
        self.reads: Reads = reads
        self.protocols = protocols
        self.jobs: list[Job] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.notes: tuple[str, ...] = ()

    @property
    def jobs_per_process(self) -> int:
        """How many jobs take longer than to start a process for them."""
        if self.reads == "volume":
            return _VOLUMES_PER_PROCESS // _VOLUMES_PER_JOB
        return _IMAGES_PER_PROCESS // _IMAGES_PER_JOB

    def prepare(self, predicted: Path, target: Path, task: Task | None, *, resize: bool) -> None:
        """Find the pairs; jobs do not depend on the number of processes, so neither do sums."""
        for protocol in self.protocols:
            protocol.metric(task)  # refuses a task that it does not know
        found = find_pairs(predicted, target, reads=self.reads)
        self.notes = found.notes
        self.files = {name: ScoredFiles.of(each, task).as_dict() for name, each in found.folders.items()}
        size = _VOLUMES_PER_JOB if self.reads == "volume" else _IMAGES_PER_JOB
        for name, pairs in found.sets.items():
            reader = choose_reader(self.protocols, pairs, task)
            chunks = (pairs[start : start + size] for start in range(0, len(pairs), size))
            self.jobs += [Job(name, chunk, reader, self.protocols, task, resize) for chunk in chunks]


def _collect(jobs: Sequence[Job], workers: int, count: Callable[[int], None]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for job, part in zip(jobs, in_processes(work, jobs, workers), strict=True):
        if job.name in parts:
            parts[job.name].merge(part)
        else:
            parts[job.name] = part
        count(len(job.pairs))
    return parts


def _counter(total: int, progress: Progress | None) -> Callable[[int], None]:
    done = [0]

    def count(pairs: int) -> None:
        done[0] += pairs
        if progress:
            progress(done[0], total)

    return count


def _refuse_bad(parts: Mapping[str, Part], jobs: Sequence[Job], *, skip_bad: bool) -> None:
    totals = Counter(job.name for job in jobs for _ in job.pairs)
    several = len(parts) > 1
    bad = [
        (f"{name}/{pair}" if several else pair, why)
        for name, part in parts.items()
        for pair, why in part.bad.items()
    ]
    if bad and not skip_bad:
        raise SegDistillError(
            f"{len(bad)} of {totals.total()} pairs cannot be read ({named([name for name, _ in bad])}). {bad[0][1]} "
            "With --skip-bad such pairs are left out."
        )
    for name, part in parts.items():
        if len(part.bad) == totals[name]:
            of_set = f" of the set {name!r}" if several else ""
            why = next(iter(part.bad.values()))
            raise SegDistillError(f"None of {totals[name]} pairs{of_set} can be read. {why}")


def _fill(scores: Scores, protocol: Protocol, parts: Mapping[str, Part], notes: Sequence[str]) -> None:
    several = len(parts) > 1
    scores.note(*protocol.notes)
    for name, part in parts.items():
        scores.add(name, part.metrics[protocol.name], several=several)
    scores.note(*notes)
    for name, part in parts.items():
        scores.note(*_about(part, protocol.name, f"{name}: " if several else ""))


def _about(part: Part, protocol: str, prefix: str) -> Iterator[str]:
    for (of_protocol, remark), files in sorted(part.remarks.items()):
        if of_protocol in ("", protocol):
            yield prefix + remark.replace("{n}", str(files))
    if part.bad:
        yield f"{prefix}Pairs that could not be read, left out ({len(part.bad)}): {', '.join(sorted(part.bad))}."
