"""Score files that anyone's network wrote: find pairs, read them, feed protocols in several processes."""

from __future__ import annotations

from segdistill.scoring.pairs import Pair, Pairs, find_pairs
from segdistill.scoring.results import Scores
from segdistill.scoring.run import score

__all__ = ["Pair", "Pairs", "Scores", "find_pairs", "score"]
