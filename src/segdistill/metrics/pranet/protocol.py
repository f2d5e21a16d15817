"""The two evaluators as protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from segdistill.metrics.maps import check_binary
from segdistill.metrics.pranet.metric import PolypScores
from segdistill.metrics.pranet.rules import RULES, Flavour, Rules
from segdistill.metrics.protocols import Protocol, Reads
from segdistill.tasks import Task


@dataclass(frozen=True, kw_only=True)
class PraNet(Protocol):
    """Scores of foreground maps over 256 thresholds, as the polyp benchmark of PraNet (Fan et al. 2020) has them.

    Args:
        flavour: Whose evaluator: `"python"` or `"matlab"`.
        empty: `"pranet"`: an image with nothing to find counts 0 in Dice, IoU, sensitivity and specificity, whatever
            was predicted, and is left out of scores that are undefined there. `"skip"`: it is left out of all.

    Raises:
        SegDistillError: If the rule for empty masks does not exist.
    """

    reads: ClassVar[Reads] = "map"

    flavour: Flavour

    def __post_init__(self) -> None:
        """Refuse a rule that no evaluator knows."""
        self.check_empty("pranet", "skip")

    @property
    def rules(self) -> Rules:
        """The evaluator's choices."""
        return RULES[self.flavour]

    def metric(self, task: Task | None = None) -> PolypScores:
        check_binary(task, self.name)
        return PolypScores(self)


_NOTES = (
    "meanDic is a mean over 256 thresholds, not Dice at 0.5: threshold 0 always predicts everything, so that even a "
    "perfect binary map scores below 1 (.9969 with a polyp on a ninth of the image)",
    "specificity counts 0 at thresholds where no foreground is hit, and maxSen is 1 wherever there is foreground",
    "the E-measure divides by one pixel less than there are and can exceed 1; for an image of a single pixel "
    "that leaves 2^-52, and up to 4.5e15 goes into the mean",
)

PRANET_PY = PraNet(
    name="pranet-py",
    version=1,
    flavour="python",
    empty="pranet",
    resize="maps, bilinearly, to the size of the ground truth before they are written; never here",
    reference="Python evaluator shared by UACANet (Kim et al. 2021) and KDAS (2023), after PraNet (Fan et al. 2020)",
    notes=(
        *_NOTES,
        "66 of the 256 thresholds lie a rounding error above their grey level, which lowers the means of grey maps "
        "by up to .0015",
    ),
    first_channel_of=("prediction", "mask"),
)
PRANET_MATLAB = PraNet(
    name="pranet-matlab",
    version=1,
    flavour="matlab",
    empty="pranet",
    resize="maps, bilinearly, to the size of the ground truth before they are written; never here",
    reference="MATLAB evaluator of PraNet (Fan et al. 2020); thresholds are compared exactly, as fractions",
    notes=(
        *_NOTES,
        "every map is stretched to [0, 1] first: one that calls nothing a polyp still shows one",
        "the original brings a map of another size to its mask bicubically, --resize does so bilinearly",
    ),
    first_channel_of=("prediction",),  # true masks go through rgb2gray, which is no channel
)
