"""What `score` scores, by its flags or by an `eval.yaml`, at once or set by set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from segdistill.metrics import Protocol
    from segdistill.scoring import Scores

PROTOCOL = "pranet-py"
FAMILY = ("pranet-py", "pranet-matlab")

#: What a set lacks, by whether its predictions and its true masks are there.
_LACKS = {
    (False, True): "predictions",
    (True, False): "true masks",
    (False, False): "predictions and true masks",
}
#: Folders of predictions and of true masks by set.
Places = dict[str, tuple[Path, Path]]


@dataclass(frozen=True)
class Wanted:
    """What is scored, how, and where the scores go.

    Attributes:
        pred: Predictions.
        gt: True masks.
        protocol: Names of protocols.
        json: Where the scores go.
        sets: The sets to score, in this order; all that are there if none are named.
        measures: What the table shows beside counts of images; everything if none are named.
    """

    pred: Path
    gt: Path
    protocol: str
    json: Path | None
    sets: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, config: Path | None, pred: Path | None, gt: Path | None, protocol: str, json: Path | None
    ) -> Self:
        """What the flags say, or the file that they name.

        Raises:
            SegDistillError: If a flag is missing, or says again what the file says.
        """
        flags = {"--pred": pred, "--gt": gt, "--protocol": protocol}
        if config is None:
            if missing := [flag for flag, value in flags.items() if not value]:
                raise SegDistillError(
                    f"{missing[0]} is missing: give --pred, --gt and --protocol, or --config with an eval.yaml."
                )
            return cls(Path(pred or ""), Path(gt or ""), protocol, json)
        if twice := [flag for flag in ("--pred", "--gt") if flags[flag] is not None]:
            raise SegDistillError(f"{twice[0]} and --config both say what to score. Keep one of them.")
        return cls._of_file(config, protocol or PROTOCOL, json)

    @classmethod
    def _of_file(cls, config: Path, protocol: str, json: Path | None) -> Self:
        from segdistill.config.eval_file import read_eval
        from segdistill.metrics.pranet.summary import KEYS

        if protocol not in FAMILY:
            raise SegDistillError(
                f"The measures of an eval.yaml are those of {' and '.join(FAMILY)}, not of {protocol}. "
                f"Leave --config out."
            )
        file = read_eval(config, known=KEYS)
        results = file.result_path / f"{file.pred_root.name}.json" if file.result_path else None
        return cls(file.pred_root, file.gt_root, protocol, json or results, file.datasets, file.metrics)

    def shown(self, scores: Scores) -> Scores:
        """The scores with no more than the measures that were named, in their order, and how many images made them."""
        from segdistill.scoring import Scores

        if not self.measures:
            return scores
        kept = [*self.measures, "images", "empty_images"]
        sets = {name: {key: means[key] for key in kept} for name, means in scores.sets.items()}
        return Scores(scores.protocol, scores.version, sets, notes=scores.notes)


def score_sets(
    wanted: Wanted, protocols: Sequence[Protocol], *, verbose: bool, **options: Any
) -> list[Scores]:
    """Score everything at once; or set by set where sets are named, or each is to be shown when it is done."""
    from segdistill.cli.output import counter
    from segdistill.scoring import Scores, score

    if not (verbose or wanted.sets):
        with counter("scoring") as progress:
            return score(wanted.pred, wanted.gt, protocols, progress=progress, **options)
    whole = [Scores(each.name, each.version) for each in protocols]
    for each, protocol in zip(whole, protocols, strict=True):
        each.note(*protocol.notes)
    folders, notes = _named(wanted) if wanted.sets else _found(wanted, protocols)
    for name, (predicted, target) in folders.items():
        for each, part in zip(whole, score(predicted, target, protocols, **options), strict=True):
            _add(each, name, part)
            if verbose:
                _tell(name, wanted.shown(each).sets[name])
    for each in whole:
        each.note(*notes)
    return whole


def _found(wanted: Wanted, protocols: Sequence[Protocol]) -> tuple[Places, Sequence[str]]:
    """Predictions and true masks of every set that is there, and what is to be noted."""
    from segdistill.scoring import find_pairs

    found = find_pairs(wanted.pred, wanted.gt, reads=protocols[0].reads)
    flat = wanted.pred, wanted.gt
    places = {name: (flat[0] / name, flat[1] / name) for name in found.sets}
    return {name: each if each[0].is_dir() else flat for name, each in places.items()}, found.notes


def _named(wanted: Wanted) -> tuple[Places, Sequence[str]]:
    """Predictions and true masks of the named sets; one that has not both is not scored, and noted."""
    places = {name: (wanted.pred / name, wanted.gt / name) for name in wanted.sets}
    there = {name: each for name, each in places.items() if each[0].is_dir() and each[1].is_dir()}
    if not there:
        first, second = places[wanted.sets[0]]
        lost = first if not first.is_dir() else second
        raise SegDistillError(
            f"None of the {len(places)} sets is there; the first would be in {str(lost)!r}."
        )
    return there, list(_left_out(places))


def _left_out(places: Places) -> Iterator[str]:
    there = {name: (each[0].is_dir(), each[1].is_dir()) for name, each in places.items()}
    for sides, what in _LACKS.items():
        if names := [name for name, found in there.items() if found == sides]:
            yield f"Sets without {what}, not scored: {', '.join(names)}."


def _add(whole: Scores, name: str, part: Scores) -> None:
    [whole.sets[name]], [whole.per_image[name]] = part.sets.values(), part.per_image.values()
    [whole.files[name]] = part.files.values()
    whole.note(*(f"{name}: {note}" for note in part.notes if note not in whole.notes))


def _tell(name: str, means: dict[str, Any]) -> None:
    from segdistill.cli.output import say, score

    numbers = {key: value for key, value in means.items() if value is None or isinstance(value, float)}
    say(f"{name}: " + "  ".join(f"{key} {score(value)}" for key, value in numbers.items()))
