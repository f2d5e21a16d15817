"""Let the networks of several runs predict the cases that a report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from segdistill.export.base import Predictor
from segdistill.report.examples import Example, choose
from segdistill.report.runs import RunSummary


class Samples(Protocol):
    """A data set whose samples have names."""

    @property
    def ids(self) -> list[str]:
        """Names in the order of the samples."""
        ...

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        """The sample: `image` `(3, H, W)`, `mask` `(H, W)`, `id`."""
        ...


def predict_examples(
    summaries: Sequence[RunSummary],
    datasets: Mapping[str, Samples],
    *,
    count: int = 1,
    predictors: Mapping[str, Predictor] | None = None,
) -> list[Example]:
    """Take the worst, median and best cases of every test set, and predict them with every network.

    The distilled network's scores choose (those of the last run where none is distilled); of a network
    with several seeds the first run predicts. Test sets without scores are left out.

    Args:
        summaries: From `collect`.
        datasets: Test sets by name, as the runs' `scores/NAME.csv` name them.
        count: Worst, median and best cases per set, so many of each.
        predictors: By label; the runs' own best weights by default.

    Raises:
        SegDistillError: If a run's network cannot be built.
    """
    judge = next((s for s in reversed(summaries) if s.role == "distilled"), summaries[-1])
    networks = predictors if predictors is not None else load_predictors(summaries)
    chosen = [
        (name, samples, image_id, rank)
        for name, samples in datasets.items()
        for image_id, rank in choose(judge.scores.get(name, {}).get("dice", {}), count=count).items()
        if image_id in samples.ids
    ]
    examples = [
        predict(samples, image_id, networks, rank=rank, dataset=name)
        for name, samples, image_id, rank in chosen
    ]
    return sorted(examples, key=lambda example: ("worst", "median", "best").index(example.rank))


def load_predictors(summaries: Sequence[RunSummary]) -> dict[str, Predictor]:
    """Build the network of the first run of every label, with the weights of its best epoch, on the fastest device."""
    from segdistill.engine import open_trained

    first = {summary.label: summary.path for summary in reversed(summaries)}
    labels = dict.fromkeys(summary.label for summary in summaries)
    return {label: open_trained(first[label], device="auto").predictor() for label in labels}


def predict(
    samples: Samples, image_id: str, networks: Mapping[str, Predictor], *, rank: str = "", dataset: str = ""
) -> Example:
    """Let every network predict one image of a test set."""
    sample = samples[samples.ids.index(image_id)]
    image = np.ascontiguousarray(np.asarray(sample["image"]).transpose(1, 2, 0))
    masks = {label: network(image).mask for label, network in networks.items()}
    return Example(image_id, image, np.asarray(sample["mask"]), masks, rank, dataset)
