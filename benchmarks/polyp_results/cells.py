"""Every cell of the table is one training, and every training one command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import polyp_lite
from segdistill import config
from segdistill.core import unknown

RECIPE = polyp_lite.RECIPE


@dataclass(frozen=True)
class Part:
    """A row or a column of the table.

    Attributes:
        name: In folders and tables.
        about: What it is.
        overrides: What it changes in the recipe.
    """

    name: str
    about: str
    overrides: tuple[str, ...] = ()


_PVT = ("student.net={PolypPVT: {backbone: pvt_v2_b0}}", "training.lr_factors={backbone: 0.3}")
_LITE0 = "tu-tf_efficientnet_lite0"
PVT = Part(
    "pvt-b0",
    "Polyp-PVT on PVTv2-b0, the student of KDAS3, from random weights",
    (*_PVT, "student.weights=none"),
)
PVT_NAME = "pvt-b0-imagenet"
UNET = Part(
    "unet-lite0",
    "the U-Net of the MobileNetV2 project, on EfficientNet-Lite0, from ImageNet weights",
    (f"student.net={{smp.Unet: {{encoder_name: {_LITE0}}}}}",),
)

NONE = Part("none", "the labels alone")
KDAS = Part(
    "KDAS",
    "attention and guiding as KDAS3 means them, on the logits: the teacher has one head",
    ("method=KDAS",),
)
MOBILENET = Part(
    "polyp-mobilenet",
    "what the MobileNetV2 project's code computes: SoftBCE, alpha 0.6, temperature 4",
    ("method={polyp-mobilenet: {variant: as_released, alpha: 0.6, temperature: 4}}",),
)


def students(pvt_weights: str | None = None) -> list[Part]:
    """The rows; a file of ImageNet weights makes another row than random weights do."""
    if pvt_weights is None:
        return [PVT, own(), UNET]
    about = PVT.about.replace("random weights", f"ImageNet weights ({Path(pvt_weights).name})")
    return [Part(PVT_NAME, about, (*_PVT, f"student.weights={pvt_weights}")), own(), UNET]


def own() -> Part:
    """The recipe's student, under a name that follows its network: a row is never called what it is not."""
    net, options = next(iter(config.read(RECIPE)["student"]["net"].items()))
    encoder = options["encoder_name"].removeprefix("tu-tf_")
    name = f"{net.removeprefix('smp.').lower()}-{encoder.removeprefix('efficientnet_')}"
    return Part(name, f"{net} on {encoder}, the student of the recipe {RECIPE}, from ImageNet weights")


@dataclass(frozen=True)
class Cell:
    """One training.

    Attributes:
        student: Its row.
        method: Its column.
        seed: Of the training.
        out: Its run folder.
        overrides: Of the recipe.
        teacher: Run folder of the teacher; `None` for the student alone.
    """

    student: Part
    method: Part
    seed: int
    out: Path
    overrides: tuple[str, ...]
    teacher: Path | None = None

    @property
    def arguments(self) -> list[str]:
        """Of the command line."""
        given = ["--teacher", str(self.teacher)] if self.teacher else []
        changed = [word for each in self.overrides for word in ("-o", each)]
        return ["distill" if self.teacher else "train", RECIPE, *given, "--out", str(self.out), *changed]

    @property
    def configuration(self) -> dict[str, Any]:
        """What is trained, complete."""
        recipe = config.override(config.read(RECIPE), self.overrides)
        if self.teacher:
            return config.for_distillation(recipe, teacher=self.teacher)
        return config.for_training(recipe)


@dataclass(frozen=True)
class Grid:
    """All trainings of the table.

    Attributes:
        runs: Where the run folders are.
        teacher: Run folder of the teacher of all.
        students: The rows.
        methods: The columns but for the student alone.
        seeds: Of every cell.
        extra: Overrides of every training, for a rehearsal.
    """

    runs: Path
    teacher: Path
    students: Sequence[Part] = field(default_factory=students)
    methods: Sequence[Part] = (KDAS, MOBILENET)
    seeds: Sequence[int] = (0, 1, 2)
    extra: tuple[str, ...] = ()

    @property
    def teacher_arguments(self) -> list[str]:
        """The command that trains the teacher."""
        changed = [word for each in self.extra for word in ("-o", each)]
        return ["train", RECIPE, "--mode", "teacher", "--out", str(self.teacher), *changed]

    @property
    def teacher_configuration(self) -> dict[str, Any]:
        """What that trains, complete."""
        return config.for_training(config.override(config.read(RECIPE), self.extra), "teacher")

    def cells(self) -> list[Cell]:
        """Seed by seed, the students alone first, so that an unfinished table still compares like with like."""
        return [
            self._cell(student, method, seed)
            for seed in self.seeds
            for method in (NONE, *self.methods)
            for student in self.students
        ]

    def _cell(self, student: Part, method: Part, seed: int) -> Cell:
        overrides = (f"training.seed={seed}", *student.overrides, *method.overrides, *self.extra)
        out = self.runs / f"{student.name}-{method.name}-{seed}"
        cell = Cell(student, method, seed, out, overrides, None if method is NONE else self.teacher)
        return self._shared(cell)

    def _shared(self, cell: Cell) -> Cell:
        """The same cell in the folder where `benchmarks/polyp_lite.py` makes it, if it does."""
        known = polyp_lite.commands(self.teacher.parent, [cell.seed])
        if self.teacher not in known:
            return cell
        places = {asked(arguments): run for run, arguments in known.items()}
        out = places.get(asked(cell.arguments), cell.out)
        return Cell(cell.student, cell.method, cell.seed, out, cell.overrides, cell.teacher)


def asked(arguments: Sequence[str]) -> tuple[str, ...]:
    """What a command makes, without where."""
    place = arguments.index("--out")
    return (*arguments[:place], *arguments[place + 2 :])


def only(cells: Iterable[Cell], names: str | None) -> list[Cell]:
    """The cells of the named students and methods; of all where none is named.

    Raises:
        SegDistillError: If a name is neither.
    """
    cells = list(cells)
    wanted = set(names.split(",")) if names else set()
    rows, columns = (
        {part.name for part in parts} for parts in zip(*((c.student, c.method) for c in cells), strict=True)
    )
    for name in sorted(wanted - rows - columns):
        raise unknown("student or method of the table", name, [*rows, *columns])
    return [
        cell
        for cell in cells
        if cell.student.name in (wanted & rows or rows) and cell.method.name in (wanted & columns or columns)
    ]
