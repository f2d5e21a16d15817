"""What a run was begun with, so that nothing else is resumed in its place: its options, its teacher, its data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from segdistill.core import SegDistillError
from segdistill.data import Data, Samples, Split
from segdistill.data.samples import digest, named
from segdistill.engine.run import Run
from segdistill.engine.training import Training
from segdistill.teachers import Cached, TeacherSource


def facts(data: Data, teacher: TeacherSource | None) -> dict[str, Any]:
    """What `env.json` says about data and teacher, for a resume to compare."""
    told = {} if teacher is None else {"teacher": _told(teacher)}
    return {**told, "data": _identity(data, content=data.split is None)}


def _told(teacher: TeacherSource) -> dict[str, Any]:
    """Its fingerprint; where a cached teacher's output comes from, and what does not reach it."""
    return {
        "fingerprint": teacher.fingerprint(),
        **(teacher.describe() if isinstance(teacher, Cached) else {}),
    }


def check_options(path: Path, config: Mapping[str, Any]) -> None:
    """Refuse to resume with another configuration than the run began with; where it runs may change.

    Raises:
        SegDistillError: Naming the first option that differs.
    """
    ours, theirs = (_without_place(c) for c in (config, Run(path).config))
    if bool(ours.get("method")) != bool(theirs.get("method")):
        began = "distill" if theirs.get("method") else "train"
        raise SegDistillError(f"{path} was begun with {began}. Resume it with that, or take another --out.")
    for key, value, before in _differences(ours, theirs):
        raise SegDistillError(
            f"{path} was begun with {key}={before}, not {value}. Resume with the same options, or take another --out."
        )


def check_teacher(path: Path, teacher: TeacherSource | None) -> None:
    """Refuse to resume with another teacher than the run began with, be it of the same name.

    Raises:
        SegDistillError: If its weights, or what a cache stores, are not what they were.
    """
    began = _env(path).get("teacher", {}).get("fingerprint")
    if began and teacher is not None and teacher.fingerprint() != began:
        raise SegDistillError(
            f"{path} was begun with another teacher, of other weights. Resume with the same, or take another --out."
        )


def check_data(path: Path, data: Data) -> None:
    """Refuse to resume on other training or validation samples, or with another augmentation.

    A split has the hash of every file, so a carved set is known by its content. Where there is none, the library's
    own sets are hashed, unless the run has finished and nothing is read any more; a data set of one's own is known by
    the number and the names of its samples. What an older run did not write down is believed.

    Raises:
        SegDistillError: Saying what differs.
    """
    if other := _other_split(path / "split.json", data.split) or _other_data(path, data):
        raise SegDistillError(
            f"{path} was begun with {other}. Resume with the same data, or take another --out."
        )


def _other_split(stored: Path, split: Split | None) -> str | None:
    if split is None or not stored.is_file():
        return None
    began = Split.load(stored)
    changed = sorted(
        name for name in began.hashes | split.hashes if began.hashes.get(name) != split.hashes.get(name)
    )
    if changed:
        return f"other images: {named(changed)} changed, went or came since"
    return None if (began.train, began.val) == (split.train, split.val) else "another split of these images"


def _other_data(path: Path, data: Data) -> str | None:
    if not (began := _env(path).get("data")):
        return None
    now = _identity(data, content=data.split is None and not Run(path).is_finished)
    for part, what in (("train", "training"), ("val", "validation")):
        for key, value, before in _differences(now[part], began[part]):
            if value is not None and before is not None:
                return f"{before} {what} images, not {value}" if key == "images" else f"other {what} images"
    if None not in (now["augment"], began["augment"]) and now["augment"] != began["augment"]:
        return f"augment={began['augment']}, not {now['augment']}"
    return None


def _identity(data: Data, *, content: bool) -> dict[str, Any]:
    return {
        "train": _known_by(data.train, content=content),
        "val": _known_by(data.val, content=content),
        "augment": _written(data.augment),
    }


def _known_by(dataset: Dataset[Any], *, content: bool) -> dict[str, Any]:
    """How many samples there are, and what else can be said of them without decoding any."""
    ids = getattr(dataset, "ids", None)
    return {
        "images": len(dataset),  # type: ignore[arg-type]
        "ids": digest(map(str, ids)) if isinstance(ids, Sequence) else None,
        **({"content": dataset.fingerprint()} if content and isinstance(dataset, Samples) else {}),
    }


def _written(augment: Any) -> str | None:
    """An augmentation as text, where that is the same in every process."""
    text = " ".join(repr(augment).split())
    return None if " at 0x" in text else text


def _env(path: Path) -> dict[str, Any]:
    """What `env.json` says; a run that was killed before it was written says nothing."""
    return Run(path).env if (path / "env.json").is_file() else {}


def _without_place(config: Mapping[str, Any]) -> dict[str, Any]:
    plain = json.loads(json.dumps(config))
    # An option that is younger than the run had its default then.
    training = Training().as_dict() | plain.get("training", {})
    places = ("devices", "workers", "accelerator", "checkpoint_steps")
    return {**plain, "training": {key: value for key, value in training.items() if key not in places}}


def _differences(ours: Any, theirs: Any, key: str = "") -> list[tuple[str, Any, Any]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = dict.fromkeys([*ours, *theirs])
        return [d for n in names for d in _differences(ours.get(n), theirs.get(n), f"{key}.{n}".lstrip("."))]
    return [] if ours == theirs else [(key, ours, theirs)]
