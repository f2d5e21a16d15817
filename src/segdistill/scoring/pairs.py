"""Which prediction belongs to which mask: files of one name, whatever their endings; volumes of one case, too."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from segdistill.core import SegDistillError
from segdistill.data.samples import named
from segdistill.metrics.protocols import Reads
from segdistill.scoring.cases import VOLUMES, Files, case_key, files_in, stem
from segdistill.scoring.folders import IMAGES, Folders, find_sets, nothing_in

_SHOWN = 3


class Pair(NamedTuple):
    """A prediction and its true mask, under the name of the mask."""

    id: str
    predicted: Path
    target: Path


class Pairs(NamedTuple):
    """Pairs by set, sorted by name.

    Attributes:
        sets: What is scored.
        folders: Where it lies.
        notes: What a reader of the numbers should know.
    """

    sets: dict[str, list[Pair]]
    folders: dict[str, Folders]
    notes: tuple[str, ...] = ()


def find_pairs(predicted: Path, target: Path, *, reads: Reads = "map") -> Pairs:
    """Find predictions and true masks of the same names.

    In what `segdistill predict` wrote, a protocol that reads maps takes `NAME_probability.png` for `NAME.png`,
    and overlays are left out. Volumes without a partner of their name pair by the key of their case, and that is noted.

    Args:
        predicted: Folder of predictions, flat or one sub-folder per set.
        target: Folder of true masks, flat or one sub-folder per set, in it or in its `masks`.
        reads: What the protocol reads; decides which files count.

    Raises:
        SegDistillError: If a folder is missing or empty, or names do not pair: they are listed with the nearest.
    """
    found = find_sets(predicted, target, _suffixes(reads))
    notes = [f"Sets without predictions, not scored: {', '.join(found.missing)}."] if found.missing else []
    sets = {name: pair_files(folders, reads=reads) for name, folders in found.folders.items()}
    if reads == "volume":
        notes += _about_keys(pair for pairs in sets.values() for pair in pairs)
    return Pairs(sets, found.folders, tuple(notes))


def pair_files(folders: Folders, *, reads: Reads) -> list[Pair]:
    """Pair the files of one set, sorted by name.

    Raises:
        SegDistillError: If a folder is empty, or names do not pair.
    """
    suffixes = _suffixes(reads)
    targets = _files(folders.target, suffixes, "true masks")
    predictions = _chosen(_files(folders.predicted, suffixes, "predictions"), targets, reads)
    if reads == "volume":
        predictions = _by_case(predictions, targets, folders)
    if predictions.keys() != targets.keys():
        raise _unpaired(folders, predictions, targets)
    return [Pair(name, predictions[name], targets[name]) for name in sorted(targets)]


def _suffixes(reads: Reads) -> Sequence[str]:
    return VOLUMES if reads == "volume" else IMAGES


def _files(folder: Path, suffixes: Sequence[str], what: str) -> Files:
    found = files_in(folder, suffixes)
    if not found:
        raise nothing_in(folder, suffixes, what)
    return found


def _by_case(predictions: Files, targets: Files, folders: Folders) -> Files:
    """Predictions under the names of their masks, where only the key of the case is the same."""
    masks = _keyed(targets, predictions, folders.target)
    others = _keyed(predictions, targets, folders.predicted)
    same = {others[key]: masks[key] for key in masks.keys() & others.keys()}
    return {same.get(name, name): path for name, path in predictions.items()}


def _keyed(files: Files, partners: Files, folder: Path) -> dict[str, str]:
    """Names that have no partner of their own, by the key of their case.

    Raises:
        SegDistillError: If another file has the same key, with a partner or without.
    """
    cases: dict[str, list[str]] = {}
    for name in files:
        cases.setdefault(case_key(name), []).append(name)
    lonely = {key: names for key, names in cases.items() if not partners.keys() >= set(names)}
    for key, names in lonely.items():
        if len(names) > 1:
            raise SegDistillError(
                f"{names[0]!r} and {names[1]!r} in {str(folder)!r} are one case ({key!r}) by their names; keep one."
            )
    return {key: names[0] for key, names in lonely.items()}


def _about_keys(pairs: Iterable[Pair]) -> Iterator[str]:
    """Say which files were not paired by their whole names, with an example."""
    keyed = [
        pair for pair in pairs if pair.id not in (stem(pair.predicted, VOLUMES), pair.predicted.parent.name)
    ]
    if keyed:
        yield (
            f"Volumes paired by the key of their case ({len(keyed)}), such as {keyed[0].predicted.name!r} with "
            f"{keyed[0].id!r}."
        )


def _chosen(predictions: Files, targets: Mapping[str, Path], reads: Reads) -> Files:
    """Of what our own `predict` writes beside each other, what the protocol reads."""
    chosen = dict(predictions)
    for name, path in predictions.items():
        base, _, kind = name.rpartition("_")
        if name in targets or base not in targets or kind not in ("overlay", "probability"):
            continue
        if base in predictions:
            del chosen[name]
        if kind == "probability" and reads == "map":
            chosen.pop(name, None)
            chosen[base] = path
    return chosen


def _unpaired(folders: Folders, predictions: Files, targets: Files) -> SegDistillError:
    lonely = sorted(targets.keys() - predictions.keys())
    extra = sorted(predictions.keys() - targets.keys())
    parts = []
    if lonely:
        parts.append(f"{_count(lonely, 'mask')} in {str(folders.target)!r} without a prediction")
    if extra:
        parts.append(f"{_count(extra, 'prediction')} in {str(folders.predicted)!r} without a mask")
    near = _near(lonely, extra)
    hint = f" Near each other: {', '.join(f'{a!r} and {b!r}' for a, b in near)}." if near else ""
    return SegDistillError(f"Names do not pair: {', '.join(parts)}.{hint}")


def _count(names: Sequence[str], what: str) -> str:
    return f"{len(names)} {what}{'s' * (len(names) > 1)} ({named(names, limit=_SHOWN)})"


def _near(lonely: Sequence[str], extra: Sequence[str]) -> list[tuple[str, str]]:
    folded = {name.casefold(): name for name in extra}
    near = []
    for name in lonely[:_SHOWN]:
        close = [other for other in folded if _begins(other, name.casefold()) or _is_numbered(other, name)][
            :1
        ]
        close = close or difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
        near += [(name, folded[match]) for match in close]
    return near


def _begins(one: str, other: str) -> bool:
    """Whether one name is the other and a suffix, as `1_mask` is of `1`: too short a likeness for a ratio."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and not long[len(short) :][:1].isalnum()


def _is_numbered(one: str, other: str) -> bool:
    """Whether two names are of one case but for leading zeros."""
    first, second = case_key(one), case_key(other)
    return bool(first and second) and first.lstrip("0") == second.lstrip("0")
