"""Which prediction belongs to which mask: files of one name, whatever their endings."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from segdistill.core import SegDistillError
from segdistill.data.samples import named
from segdistill.metrics.protocols import Reads
from segdistill.scoring.folders import IMAGES, VOLUMES, Folders, find_sets, nothing_in, stem

_SHOWN = 3

Files = dict[str, Path]


class Pair(NamedTuple):
    """A prediction and its true mask, under the name that both have."""

    id: str
    predicted: Path
    target: Path


class Pairs(NamedTuple):
    """Pairs by set, sorted by name.

    Attributes:
        sets: What is scored.
        notes: What a reader of the numbers should know.
    """

    sets: dict[str, list[Pair]]
    notes: tuple[str, ...] = ()


def find_pairs(predicted: Path, target: Path, *, reads: Reads = "map") -> Pairs:
    """Find predictions and true masks of the same names.

    In what `segdistill predict` wrote, a protocol that reads maps takes `NAME_probability.png` for `NAME.png`,
    and overlays are left out.

    Args:
        predicted: Folder of predictions, flat or one sub-folder per set.
        target: Folder of true masks, flat or one sub-folder per set, in it or in its `masks`.
        reads: What the protocol reads; decides which files count.

    Raises:
        SegDistillError: If a folder is missing or empty, or names do not pair: they are listed with the nearest.
    """
    suffixes = VOLUMES if reads == "volume" else IMAGES
    found = find_sets(predicted, target, suffixes)
    notes = (f"Sets without predictions, not scored: {', '.join(found.missing)}.",) if found.missing else ()
    return Pairs({name: _pair(folders, suffixes, reads) for name, folders in found.folders.items()}, notes)


def _pair(folders: Folders, suffixes: Sequence[str], reads: Reads) -> list[Pair]:
    targets = _files(folders.target, suffixes, "true masks")
    predictions = _chosen(_files(folders.predicted, suffixes, "predictions"), targets, reads)
    if predictions.keys() != targets.keys():
        raise _unpaired(folders, predictions, targets)
    return [Pair(name, predictions[name], targets[name]) for name in sorted(targets)]


def _files(folder: Path, suffixes: Sequence[str], what: str) -> Files:
    found: Files = {}
    for path in sorted(folder.iterdir()):
        name = stem(path, suffixes)
        if name is None or not path.is_file():
            continue
        if name in found:
            raise SegDistillError(
                f"{found[name].name!r} and {path.name!r} in {str(folder)!r} share a name; keep one."
            )
        found[name] = path
    if not found:
        raise nothing_in(folder, suffixes, what)
    return found


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
        close = [other for other in folded if _begins(other, name.casefold())][:1]
        close = close or difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
        near += [(name, folded[match]) for match in close]
    return near


def _begins(one: str, other: str) -> bool:
    """Whether one name is the other and a suffix, as `1_mask` is of `1`: too short a likeness for a ratio."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and not long[len(short) :][:1].isalnum()
