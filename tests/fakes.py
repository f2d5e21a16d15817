"""What the contract of the methods runs on: a student's and a teacher's output with every alias, and a mask."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable

import torch
from torch import Tensor

from segdistill.core import Output
from segdistill.methods import Method, PairMethod
from segdistill.tasks import Binary, Multiclass, Multilabel, Task

TASKS: dict[str, Task] = {
    "Multiclass": Multiclass(("a", "b", "c")),
    "Binary": Binary(),
    "Multilabel": Multilabel(("a", "b")),
}
SIZES = {2: [(32, 32), (32, 16)], 3: [(16, 8, 16)], 1: [(64,)]}
#: Stride and channels by alias; `f` is a tap of its own, for what is tested at one feature.
STAGES = {
    "e1": (2, 4),
    "e2": (4, 5),
    "e3": (8, 6),
    "e4": (16, 6),
    "e5": (16, 8),
    "d5": (16, 8),
    "d4": (8, 6),
    "d3": (4, 6),
    "d2": (2, 4),
    "d1": (1, 4),
    "decoder": (4, 4),
    "f": (4, 5),
}
ALIASES = {"low": "e2", "high": "e5"}
#: Where the defaults of a method take seconds on volumes.
SMALL: dict[str, dict[str, object]] = {"Holistic": {"width": 8}}


def sizes(cls: type[Method]) -> list[tuple[int, ...]]:
    """Sizes of image that a method works on, the plainest first."""
    return [
        size for dimensions, found in SIZES.items() if dimensions in cls.traits.dimensions for size in found
    ]


def tasks(cls: type[Method]) -> list[Task]:
    """Tasks that it works for."""
    return [task for name, task in TASKS.items() if name in cls.traits.tasks]


def output(
    spatial: tuple[int, ...], task: Task, *, more: int = 0, coarser: int = 1, count: int = 2, seed: int = 0
) -> Output:
    """A network's output with gradients to every map.

    Args:
        spatial: Size of the image.
        task: It has so many logits.
        more: Channels that its features have beyond `STAGES`.
        coarser: Factor of the features' strides.
        count: Images.
        seed: Of the values.
    """
    g = torch.Generator().manual_seed(seed)

    def draw(channels: int, stride: int) -> Tensor:
        # A volume's stages stop at a stride of 8, so that two positions are left.
        stride = min(stride, 8) if len(spatial) == 3 else stride
        size = [max(1, n // stride // coarser) for n in spatial]
        return torch.randn(count, channels, *size, generator=g).requires_grad_()

    features = {name: draw(channels + more, stride) for name, (stride, channels) in STAGES.items()}
    features |= {alias: features[name] for alias, name in ALIASES.items()}
    logits = torch.randn(count, task.channels, *spatial, generator=g).requires_grad_()
    return Output(logits, features)


def labels(
    spatial: tuple[int, ...], task: Task, *, count: int = 2, ignored: bool = False, seed: int = 0
) -> Tensor:
    """A mask of coarse blocks in which every class is likely, with a strip of ignored pixels or without."""
    g = torch.Generator().manual_seed(seed)
    several = (task.channels,) if isinstance(task, Multilabel) else ()
    classes = 2 if task.channels == 1 or several else task.channels
    mask = torch.randint(0, classes, (count, *several, *(-(-n // 4) for n in spatial)), generator=g)
    for axis, n in zip(range(-len(spatial), 0), spatial, strict=True):
        mask = mask.repeat_interleave(4, dim=axis).narrow(axis, 0, n)
    if ignored:
        mask[..., :3] = task.ignore_index
    return mask


def networks(cls: type[Method], task: Task | None = None, spatial: tuple[int, ...] = (), **student: int):
    """What a method is given: the student's output, the teacher's, a mask, and the task.

    Args:
        cls: Decides what is possible, and whether the teacher's output is the student's own.
        task: The plainest by default.
        spatial: Likewise.
        **student: Options of `output` for the student; `count` holds for both.
    """
    task, spatial = task or tasks(cls)[0], spatial or sizes(cls)[0]
    count = student.setdefault("count", max(2, cls.traits.images))
    mine = output(spatial, task, **student)
    theirs = output(spatial, task, count=count, seed=1)
    if not cls.traits.teacher:
        theirs = each(mine, lambda x: x.detach())
    return mine, theirs, labels(spatial, task, count=count), task


def each(output: Output, change: Callable[[Tensor], Tensor]) -> Output:
    """An output with every map changed."""
    return Output(change(output.logits), {name: change(value) for name, value in output.features.items()})


def make(cls: type[Method], **options: object) -> Method:
    """One with its defaults, but for what would be slow."""
    return cls(**SMALL.get(cls.__name__, {}), **options)


def simple(cls: type[Method]) -> Method:
    """One that compares the feature `f` where it takes a single tap, else with its defaults."""
    takes_taps = issubclass(cls, PairMethod) and "taps" in inspect.signature(cls).parameters
    return make(cls, taps="f") if takes_taps else make(cls)


def build(method: Method, student: Output, teacher: Output, task: Task, *, seed: int = 0) -> Method:
    """Build and prepare a method; what it draws depends on `seed`."""
    torch.manual_seed(seed)
    method.build(student, teacher, task)
    if method.preparation:
        spatial = tuple(student.logits.shape[2:])
        mask = labels(spatial, task, count=len(student.logits))
        method.prepare([(each(teacher, lambda x: x.detach()), mask)] * min(2, method.preparation))
    return method


def loss(method: Method, student: Output, teacher: Output, mask: Tensor) -> Tensor:
    """Sum of a method's terms, always with the same draws."""
    torch.manual_seed(0)
    return torch.stack(list(method(student, teacher, mask).values())).sum()


def value(method: Method, student: Output, teacher: Output, mask: Tensor) -> Tensor:
    """The same of a copy, so that a memory bank stays as it was."""
    return loss(copy.deepcopy(method), student, teacher, mask)
