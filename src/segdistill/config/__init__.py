"""YAML to objects: `{KD: {temperature: 2}}` is `KD(temperature=2)`. Nothing unknown is accepted."""

from segdistill.config.build import build
from segdistill.config.files import names, read, source, write
from segdistill.config.jobs import distill_recipe, for_distillation, for_training, train_recipe
from segdistill.config.objects import (
    build_data,
    build_loss,
    build_method,
    build_network,
    build_task,
    build_training,
)
from segdistill.config.override import override
from segdistill.config.polyp_mobilenet import import_polyp_mobilenet
from segdistill.config.sections import complete

__all__ = [
    "build",
    "build_data",
    "build_loss",
    "build_method",
    "build_network",
    "build_task",
    "build_training",
    "complete",
    "distill_recipe",
    "for_distillation",
    "for_training",
    "import_polyp_mobilenet",
    "names",
    "override",
    "read",
    "source",
    "train_recipe",
    "write",
]
