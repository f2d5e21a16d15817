"""The sections of a recipe, what each may hold, and every default filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from segdistill.config.build import Known, build, coerce, find, is_plain, parameters, plain, split
from segdistill.config.build import complete as complete_options
from segdistill.config.caching import CacheOptions
from segdistill.config.variables import refers
from segdistill.core import SegDistillError, unknown

SECTIONS = (
    "name",
    "about",
    "task",
    "data",
    "teacher",
    "student",
    "method",
    "loss",
    "training",
    "teacher_training",
    "cache",
)
#: `models.load` learns these from the task, not from the recipe.
_FROM_TASK = ("classes",)


def tasks() -> Known:
    """What `task:` may name."""
    from segdistill.tasks import Binary, Multiclass, Multilabel

    return {"Binary": Binary, "Multiclass": Multiclass, "Multilabel": Multilabel}


def sources() -> Known:
    """What `data:` may name."""
    from segdistill import data

    return {"folders": data.folders, "polyp": data.polyp, "synthetic": data.synthetic}


def methods() -> Known:
    """What `method:` may name: methods, and presets of several."""
    from segdistill.methods import Method
    from segdistill.methods.presets import PRESETS

    return {**Method.catalogue, **PRESETS}


def losses() -> Known:
    """What `loss:` may name."""
    from segdistill.losses import Loss

    return Loss.catalogue


def training() -> Callable[..., Any]:
    """What `training:` fills."""
    from segdistill.engine import Training

    return Training


def network_options() -> dict[str, Any]:
    """What a network section may hold, with defaults."""
    from segdistill.models import load

    known = {n: p.default for n, p in parameters(load).items() if n not in ("spec", *_FROM_TASK)}
    return {"net": None, **known}


#: Sections that hold `NAME` or `{NAME: {option: value}}`: what they call it, and what it may be.
_NAMED: dict[str, tuple[str, Callable[[], Known]]] = {
    "task": ("task", tasks),
    "data": ("data source", sources),
    "method": ("method", methods),
    "loss": ("loss", losses),
}
#: Sections that hold options: what a message calls them, and what they fill.
_OPTIONS: dict[str, tuple[str, Callable[[], Callable[..., Any]]]] = {
    "training": ("training", training),
    "teacher_training": ("training", training),
    "cache": ("cache", lambda: CacheOptions),
}


def check_sections(config: Any, *, source: str) -> dict[str, Any]:
    """Check the top level of a recipe.

    Raises:
        SegDistillError: If it is not a mapping, or a section is unknown.
    """
    if not isinstance(config, Mapping):
        raise SegDistillError(
            f"{source} is not a recipe: it must hold sections such as data:, student: and training:."
        )
    for name in config:
        if name not in SECTIONS:
            raise unknown("section", str(name), SECTIONS)
    return dict(config)


def complete(config: Mapping[str, Any]) -> dict[str, Any]:
    """Check a configuration and fill in every default.

    References to variables stay, so that the file written into a run folder holds no path of one machine.

    Args:
        config: What `read` gives; sections may be missing.

    Returns:
        Plain values only. Completing it again changes nothing.

    Raises:
        SegDistillError: If a name or option does not exist, a needed one is missing, a value has the wrong
            type, or a variable is not set.
    """
    config = check_sections(config, source="The configuration")
    full: dict[str, Any] = {key: text(config[key], key) for key in ("name", "about") if key in config}
    full["task"] = complete_section("task", config.get("task", "Binary"))
    if "data" in config:
        full["data"] = _with_classes(complete_section("data", config["data"]), config["data"], full["task"])
    for key in ("teacher", "student", "method"):
        if key in config:
            full[key] = complete_section(key, config[key])
    full["loss"] = (
        complete_section("loss", config["loss"]) if "loss" in config else _default_loss(full["task"])
    )
    full["training"] = complete_section("training", config.get("training") or {})
    if "teacher_training" in config:
        full["teacher_training"] = _given(config["teacher_training"])
    if config.get("cache") is not None:
        full["cache"] = complete_section("cache", config["cache"])
    return full


def complete_section(key: str, value: Any) -> Any:
    """One section with every default filled in; `teacher_training` as the training it stands for."""
    if key in _OPTIONS:
        owner, target = _OPTIONS[key]
        return complete_options(target(), _mapping(value, key), owner=owner)
    if key in ("teacher", "student"):
        return _network(value, key)
    if key == "method":
        parts = value if isinstance(value, list) else [value]
        if not parts:
            raise SegDistillError("method: is an empty list. Name a method, or use `segdistill train`.")
        return [_spec(part, key) for part in parts]
    return text(value, key) if key in ("name", "about") else _spec(value, key)


def option_names(key: str, value: Any) -> dict[str, Any]:
    """The options that a section or a part of one may hold, whose values are not looked at.

    Args:
        key: A section of named things or of options.
        value: `{NAME: {option: value}}`, or the options.

    Returns:
        `{NAME: {option: None}}`, or `{option: None}`.

    Raises:
        SegDistillError: If what is named does not exist.
    """
    if key in _OPTIONS:
        return dict.fromkeys(parameters(_OPTIONS[key][1]()))
    kind, known = _NAMED[key]
    name, _ = split(value, kind)
    return {name: dict.fromkeys(parameters(find(name, known(), kind)))}


def _spec(spec: Any, key: str) -> dict[str, Any]:
    kind, known = _NAMED[key]
    name, options = split(spec, kind)
    return {name: complete_options(find(name, known(), kind), options, owner=name)}


def _with_classes(full: dict[str, Any], written: Any, task: Any) -> dict[str, Any]:
    """Classes are named once, in the task; a data source that needs them learns them from there."""
    name, options = next(iter(full.items()))
    classes = list(build(task, tasks(), kind="task").classes)
    if "classes" in split(written, "data source")[1] and options["classes"] != classes:
        raise SegDistillError(
            f"{name}.classes are {options['classes']}, but the task's are {classes}. "
            "Name them once, in task:."
        )
    return {name: {**options, "classes": classes}} if "classes" in options else full


def _network(section: Any, key: str) -> dict[str, Any]:
    section = _mapping(section, key)
    if "run" in section:
        if len(section) > 1:
            extra = next(name for name in section if name != "run")
            raise SegDistillError(
                f"{key}: has run: and {extra}:. A saved run brings its own network; keep one of them."
            )
        return {"run": text(section["run"], f"{key}.run")}
    known = network_options()
    for name in section:
        if name not in known:
            raise unknown(f"option of {key}", str(name), {*known, "run"})
    if not section.get("net"):
        raise SegDistillError(
            f"{key}: names no network. Write net: NAME (`segdistill models` lists them), or run: PATH."
        )
    return {name: _network_option(name, section.get(name, known[name]), key) for name in known}


def _network_option(name: str, value: Any, key: str) -> Any:
    from segdistill.config.build import hint
    from segdistill.models import load

    if name == "net" or refers(value):
        return value
    value = coerce(value, hint(load, name), where=f"{key}.{name}")
    return plain(value) if is_plain(value) else value


def _given(section: Any) -> dict[str, Any]:
    checked = complete_section("teacher_training", section)
    return {name: checked[name] for name in _mapping(section, "teacher_training")}


def _default_loss(task: Any) -> Any:
    from segdistill.losses import default

    return complete_section("loss", type(default(build(task, tasks(), kind="task"))).__name__)


def _mapping(value: Any, key: str) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise SegDistillError(f"{key}: must hold options, one per line, got {value!r}.")


def text(value: Any, key: str) -> str:
    """A value that must be a text."""
    return str(coerce(value, str, where=key))
