"""What reads the files of a set: decided by the protocol, and for the set as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segdistill.metrics.protocols import Protocol
from segdistill.scoring.images import BinaryReader, IndexReader, MapReader
from segdistill.scoring.pairs import Pair
from segdistill.scoring.truth import GreyTruth, LabelTruth
from segdistill.scoring.values import full_scale
from segdistill.scoring.volumes import VolumeReader
from segdistill.tasks import Binary, Task

Reader = MapReader | BinaryReader | IndexReader | VolumeReader


def choose_reader(protocols: Sequence[Protocol], pairs: Sequence[Pair], task: Task | None) -> Reader:
    """Choose for the pairs of a set.

    Args:
        protocols: How they are scored; all read the same.
        pairs: All of the set.
        task: The classes of true masks that hold class indices.

    Raises:
        SegDistillError: If two classes are named, and what should be the second may be ignored pixels.
    """
    reads = protocols[0].reads
    if reads == "volume":
        return VolumeReader(probabilities=all(protocol.takes_probabilities for protocol in protocols))
    targets = [pair.target for pair in pairs]
    labels = _labels(task, targets) if reads == "mask" else None
    if labels and labels.classes > 2:
        return IndexReader(labels)
    scale = full_scale(pair.predicted for pair in pairs)
    if reads == "map":
        return MapReader(scale, GreyTruth(full_scale(targets)))
    return BinaryReader(scale, labels or GreyTruth(full_scale(targets), hard=True))


def _labels(task: Task | None, targets: Sequence[Path]) -> LabelTruth | None:
    """How true masks are read where classes are named: by index. `Binary` means greys."""
    if task is None or isinstance(task, Binary):
        return None
    labels = LabelTruth(len(task.classes), task.ignore_index)
    if labels.classes == 2:
        labels.refuse_greys(targets)
    return labels
