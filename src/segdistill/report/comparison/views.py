"""What a run made of a case: its network predicts again, or the files that were scored are read again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.export.base import Predictor
from segdistill.report.comparison.sources import Source
from segdistill.report.examples import IGNORED
from segdistill.report.predictions import Samples, predict
from segdistill.scoring.files import Labels, ScoredFiles
from segdistill.scoring.images import Grid
from segdistill.viz import Image

Mask = NDArray[np.integer[Any]]


class Seen(NamedTuple):
    """A case as one run has it.

    Attributes:
        mask: Class indices `(H, W)`, or `(D, H, W)` with axial slices first; 0 where nothing counts.
        truth: The same of the true mask.
        image: uint8 `(H, W, 3)`, where it is at hand.
        pixel: How many times wider than tall a pixel is.
        grid: Where the voxels lie, as the file of the true mask says; `None` for images.
    """

    mask: Mask
    truth: Mask
    image: Image | None = None
    pixel: float = 1.0
    grid: Grid | None = None


View = Callable[[str], Seen]


def predicts(run: Source, dataset: str) -> bool:
    """Whether a network has to predict a test set again; otherwise its files were scored.

    Raises:
        SegDistillError: If the scores do not say what they are of.
    """
    files = run.tables[dataset].files
    if not files:
        raise SegDistillError(
            f"{run.name} does not say what was scored, since it was written before that was recorded; score it again, "
            "or leave --sheet out."
        )
    return "run" in files


def place_of(run: Source, dataset: str) -> Path:
    """Where the network lies that has to predict a test set again.

    Raises:
        SegDistillError: If it is there no more.
    """
    place = Path(str(run.tables[dataset].files["run"]))
    if not place.exists():
        raise SegDistillError(
            f"There is no {str(place)!r}: the network of which {run.name} holds scores. Compare in the folder where it "
            "was scored, at which relative paths begin, or score it again."
        )
    return place


def load_networks(runs: Iterable[Source], datasets: Iterable[str]) -> dict[str, Predictor]:
    """Build the networks of the runs that need one, by name, with the weights of their best epochs."""
    from segdistill.engine import open_trained

    paths = {run.name: place_of(run, name) for name in datasets for run in runs if predicts(run, name)}
    return {name: open_trained(path, device="auto").predictor() for name, path in paths.items()}


def open_view(
    run: Source, dataset: str, samples: Mapping[str, Samples], networks: Mapping[str, Predictor]
) -> View:
    """Make ready to look at the cases of a test set.

    Raises:
        SegDistillError: If files are not there as they were scored.
    """
    if predicts(run, dataset):
        return _of_network(samples[dataset], networks[run.name])
    return _of_files(run, dataset)


def _of_network(samples: Samples, network: Predictor) -> View:
    def look(case: str) -> Seen:
        example = predict(samples, case, {"": network})
        counts = example.truth != IGNORED
        return Seen(example.predictions[""] * counts, example.truth * counts, example.image)

    return look


def _of_files(run: Source, dataset: str) -> View:
    table = run.tables[dataset]
    try:
        files = ScoredFiles.from_dict(table.files)
    except (KeyError, TypeError, ValueError):
        raise SegDistillError(f"{run.path} is damaged: its files are {dict(table.files)!r:.80}.") from None
    try:
        labels = Labels(files, table.protocol)
    except SegDistillError as error:
        raise SegDistillError(
            f"{str(error).rstrip('.')}: the files of {dataset} that {run.name} scored. Compare in the folder where "
            f"they were scored, at which relative paths begin, or score them again."
        ) from error

    def look(case: str) -> Seen:
        sample = labels(case)
        _, tall, wide = sample.spacing or (1, 1, 1)
        return Seen(sample.predicted, sample.target, pixel=wide / tall, grid=sample.grid)

    return look
