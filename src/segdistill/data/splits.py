"""Carve a validation set from a training set, by group, and keep the record of it."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from segdistill.core import SegDistillError
from segdistill.data.samples import Part, Samples, digest, named


@dataclass(frozen=True)
class Split:
    """Which samples train and which validate, with the hashes that tell whether the data is still the same.

    Attributes:
        train: Ids to learn from, sorted.
        val: Ids to select on, sorted.
        seed: The seed it was carved with.
        fraction: The share of images asked for in `val`.
        hashes: Content hash per id.
        fingerprint: Content hash of the whole.
    """

    train: list[str]
    val: list[str]
    seed: int
    fraction: float
    hashes: dict[str, str]
    fingerprint: str

    def apply(self, dataset: Samples) -> tuple[Part, Part]:
        """Return the training and validation part of the data set this split was carved from.

        Raises:
            SegDistillError: If a sample is missing, new, or has changed since.
        """
        self.check(dataset)
        return Part(dataset, self.train), Part(dataset, self.val)

    def check(self, dataset: Samples) -> None:
        """Refuse a data set that is not the one this split was carved from."""
        now = dataset.hashes()
        way_out = "restore the data or carve a new split"
        missing = sorted(self.hashes.keys() - now.keys())
        if missing:
            raise SegDistillError(f"The split names {named(missing)}, which the data set lacks; {way_out}.")
        new = sorted(now.keys() - self.hashes.keys())
        if new:
            raise SegDistillError(
                f"The data set holds {named(new)}, which the split does not name; {way_out}."
            )
        changed = sorted(name for name, content in self.hashes.items() if now[name] != content)
        if changed:
            raise SegDistillError(f"{named(changed)} changed since the split was carved; {way_out}.")

    def save(self, path: str | Path) -> None:
        """Write the split as JSON, whole or not at all."""
        target = Path(path)
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
            part.replace(target)
        except OSError as error:
            raise SegDistillError(f"Cannot write the split to {str(target)!r}: {error.strerror}.") from error

    @classmethod
    def load(cls, path: str | Path) -> Split:
        """Read a split that `save` wrote."""
        try:
            return cls(**json.loads(Path(path).read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise SegDistillError(f"There is no split file {str(path)!r}.") from error
        except (ValueError, TypeError) as error:
            raise SegDistillError(
                f"{str(path)!r} is not a split file; remove it to carve a new one."
            ) from error


def carve(dataset: Samples, *, fraction: float = 0.1, seed: int = 0) -> Split:
    """Carve a validation set of about `fraction` of the images, whole groups at a time, source by source.

    The choice depends on the ids, groups and seed only, not on the order of files.

    Args:
        dataset: The training set.
        fraction: The share of images to hold out, between 0 and 1.
        seed: Which of the many possible splits.

    Raises:
        SegDistillError: If the fraction is not between 0 and 1 or the groups allow no split.
    """
    if not 0 < fraction < 1:
        raise SegDistillError(
            f"A validation fraction of {fraction} leaves one side empty; use one such as 0.1."
        )
    held_out = {name for members in _by_source(dataset) for name in _hold_out(members, fraction, seed)}
    if len(held_out) in (0, len(dataset)):  # one side would be empty: the smallest group changes it
        held_out ^= set(_smallest_group(dataset, seed))
    val = sorted(held_out)
    train = sorted(set(dataset.ids) - held_out)
    if not train or not val:
        raise SegDistillError(
            f"{len(dataset)} images in {len(set(dataset.groups))} group(s) cannot be split by group; "
            "give a validation set of its own, or tell the groups with group=."
        )
    return Split(train, val, seed, fraction, dataset.hashes(), dataset.fingerprint())


def stored_or_carved(dataset: Samples, *, path: str | Path | None, fraction: float, seed: int) -> Split:
    """Read the split at `path` if there is one, else carve it and, given a path, store it."""
    if path is not None and Path(path).exists():
        return Split.load(path)
    split = carve(dataset, fraction=fraction, seed=seed)
    if path is not None:
        split.save(path)
    return split


Members = dict[str, list[str]]


def _by_source(dataset: Samples) -> Iterable[Members]:
    """Collect ids by group, for each source; a group that spans sources stays whole, in its first."""
    home: dict[str, str] = {}
    for source, group in sorted(zip(dataset.sources, dataset.groups, strict=True)):
        home.setdefault(group, source)
    sources: dict[str, Members] = defaultdict(lambda: defaultdict(list))
    for name, group in zip(dataset.ids, dataset.groups, strict=True):
        sources[home[group]][group].append(name)
    return sources.values()


def _hold_out(members: Members, fraction: float, seed: int) -> list[str]:
    """Take shuffled groups as long as each brings the count nearer to the target."""
    target = fraction * sum(map(len, members.values()))
    taken: list[str] = []
    for group in _shuffled(members, seed):
        if abs(len(taken) + len(members[group]) - target) < abs(len(taken) - target):
            taken += members[group]
    return taken


def _shuffled(groups: Iterable[str], seed: int) -> list[str]:
    """Order by a hash of the name: the same on every machine, whatever order the names came in."""
    return sorted(groups, key=lambda group: digest([str(seed), group]))


def _smallest_group(dataset: Samples, seed: int) -> Sequence[str]:
    """With few large groups none comes near the target: the smallest is the best there is."""
    members: Members = defaultdict(list)
    for name, group in zip(dataset.ids, dataset.groups, strict=True):
        members[group].append(name)
    smallest = min(_shuffled(members, seed), key=lambda group: len(members[group]), default="")
    return members[smallest] if smallest else []
