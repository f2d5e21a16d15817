"""A `config.yaml` of the MobileNetV2 polyp project as a recipe of ours."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from segdistill.config.build import arguments
from segdistill.config.objects import build_method, build_training
from segdistill.config.sections import complete
from segdistill.config.text import dump, parse, parse_file
from segdistill.core import SegDistillError

#: What the project puts behind an experiment's name, by what is trained.
RUNS = {"teacher_run": "_TEACHER", "baseline_run": "_BASELINE", "student_run": ""}


@dataclass(frozen=True)
class Settings:
    """The keys of the project's file, with the values that it comes with."""

    experiment_name: str = "MobileNetV2_Distillation_v1"
    data_root: str = "dataset"
    save_dir: str = "checkpoints"
    student_backbone: str = "mobilenet_v2"
    teacher_checkpoint: str | None = None
    img_size: int = 320
    batch_size: int = 8
    epochs: int = 50
    learning_rate: float = 1e-4
    num_workers: int = 4
    seed: int = 42
    alpha: float = 0.6
    temperature: float = 4.0


def import_polyp_mobilenet(path: str | Path, *, recipe: str | Path | None = None) -> str:
    """Turn a file of the project into a recipe with comments, which `read` reads.

    Args:
        path: Its `config.yaml`; keys that are missing get the project's own values.
        recipe: What the recipe will be called, for the commands in its comments.

    Raises:
        SegDistillError: If there is no such file, a key is unknown, or a value is impossible.
    """
    file = Path(path)
    if not file.is_file():
        raise SegDistillError(
            f"There is no file {str(path)!r}; name the config.yaml of the MobileNetV2 project."
        )
    settings = _settings(parse_file(file), file)
    _check_lines({"name": file.name, **vars(settings)}, file)
    text = _written(settings, source=file.name, recipe=str(recipe or "my.yaml"))
    _check(text, settings, file)
    return text


def _settings(content: Any, file: Path) -> Settings:
    if not isinstance(content, Mapping):
        raise SegDistillError(
            f"{file} holds no keys, but {content!r}; name a config.yaml like configs/config.yaml."
        )
    return Settings(**arguments(Settings, content, owner=file.name))


def _check_lines(values: Mapping[str, Any], file: Path) -> None:
    """Refuse texts of several lines, which would break the comments that they stand in."""
    for key, value in values.items():
        if isinstance(value, str) and len(value.splitlines()) > 1:
            raise SegDistillError(
                f"{key} of {str(file)!r} holds a line break, {value!r}: write it on one line."
            )


def _check(text: str, settings: Settings, file: Path) -> None:
    """Refuse values that no training could use, in the words of those who would have to."""
    from segdistill.models.encoders import check_encoder

    if settings.img_size < 32 or settings.img_size % 32:
        raise SegDistillError(
            f"img_size in {file} is {settings.img_size}; both networks take multiples of 32, such as 320."
        )
    check_encoder(settings.student_backbone)
    full = complete(parse(text, source=str(file)))
    build_training(full["training"])
    build_method(full["method"])


def _written(settings: Settings, *, source: str, recipe: str) -> str:
    values = {field.name: _scalar(getattr(settings, field.name)) for field in fields(Settings)}
    place = f"{settings.save_dir}/{settings.experiment_name}"
    runs = {name: shlex.quote(place + end) for name, end in RUNS.items()}
    return _TEMPLATE.format(
        **values,
        **runs,
        **_teacher(settings, runs),
        about=_scalar(f"Imported from {source} of the MobileNetV2 polyp project."),
        source=source,
        recipe=shlex.quote(recipe),
    )


def _scalar(value: Any) -> str:
    return dump([value], width=math.inf).strip().removeprefix("[").removesuffix("]")


def _teacher(settings: Settings, runs: Mapping[str, str]) -> dict[str, str]:
    """The teacher's weights: its checkpoint where that is, or else ImageNet's, to train it from."""
    file = settings.teacher_checkpoint
    if file and Path(file).is_file():
        return {
            "weights": _scalar(file),
            "about_weights": "teacher_checkpoint; to train a teacher anew add -o teacher.weights=imagenet",
            "given": "",
        }
    absent = f"teacher_checkpoint {file} is not there" if file else "there was no teacher_checkpoint"
    return {
        "weights": "imagenet",
        "about_weights": f"{absent}: train one, then name it with --teacher",
        "given": f" --teacher {runs['teacher_run']}",
    }


_TEMPLATE = """\
# Made by `segdistill import-config {source}` from a file of the MobileNetV2 polyp project. Its three modes:
#
#   segdistill train {recipe} --mode teacher      --out {teacher_run}
#   segdistill train {recipe} --mode baseline     --out {baseline_run}
#   segdistill train {recipe} --mode distillation --out {student_run}{given}
#
# save_dir has no key of its own: --out names the folder of a run, which holds weights, history and scores.
name: {experiment_name}  # experiment_name
about: {about}
task: {{Binary: {{classes: [background, polyp]}}}}

data:
  polyp:
    root: {data_root}  # data_root: holds TrainDataset/ and TestDataset/<set>/, as there
    size: [{img_size}, {img_size}]  # img_size; images are stretched to it, as there
    val_fraction: 0.1  # new: the project chose its epoch on the test set CVC-ClinicDB
    seed: {seed}  # seed, of the validation split

teacher:
  net: {{smp.UnetPlusPlus: {{encoder_name: resnet50}}}}  # the project has no key for it
  weights: {weights}  # {about_weights}
  size: [{img_size}, {img_size}]
  mean: 0  # the project divides by 255 and does not normalise
  std: 1
student:
  net: {{smp.Unet: {{encoder_name: {student_backbone}}}}}  # student_backbone
  weights: imagenet  # its baseline "from scratch" starts from these, too
  size: [{img_size}, {img_size}]
  mean: 0
  std: 1

# as_released is what the code computes (binary cross-entropy), paper what its README says (squared error of logits).
method:
  polyp-mobilenet: {{variant: as_released, alpha: {alpha}, temperature: {temperature}}}
loss: DiceBCE  # per image; the project pools Dice over the batch

training:
  epochs: {epochs}
  batch_size: {batch_size}
  optimizer: adamw
  lr: {learning_rate}  # learning_rate
  weight_decay: 0.01  # the default of AdamW, which the project relies on
  schedule: constant
  clip_norm: 1  # fixed in the project's code
  workers: {num_workers}  # num_workers
  seed: {seed}  # seed: read by nothing there; here it fixes everything random
"""
