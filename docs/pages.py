#!/usr/bin/env python3
"""Write docs/methods: a page per distillation method and the list of them all, from the code and the recorded results.

python docs/pages.py        (or: make docs)
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.ranking import points, score, table  # noqa: E402
from segdistill.config import complete  # noqa: E402
from segdistill.config.text import dump  # noqa: E402
from segdistill.methods import Method  # noqa: E402
from segdistill.methods.chapters import CHAPTERS, by_kind, describe, summary, where  # noqa: E402
from segdistill.methods.presets import PRESETS, VARIANTS, Preset, uses  # noqa: E402

FOLDER = ROOT / "docs" / "methods"
RESULTS = ROOT / "benchmarks" / "results" / "methods.json"
MADE = "<!-- Written by `make docs`; change the docstring instead. -->\n\n"


def write() -> None:
    """Write all pages, and remove those of methods that are gone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Every page by its file name."""
    record = results()
    found = {f"{name}.md": method_page(name, cls, record) for name, cls in Method.catalogue.items()}
    return {"README.md": index(record), "presets.md": presets_page(), **found}


def results() -> dict[str, Any]:
    """What `benchmarks/methods.py` recorded; nothing where it has not run."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}


def index(record: Mapping[str, Any]) -> str:
    """The list of all methods, by what they compare, and the table of results."""
    parts = [f"{MADE}# Distillation methods\n", INTRODUCTION]
    for kind, methods in by_kind().items():
        title, about = CHAPTERS[kind]
        rows = [
            f"| [{name}]({name}.md) | {cell(summary(cls))} | {cell(cls.paper)} |"
            for name, cls in methods.items()
        ]
        parts.append(
            "\n".join(
                [f"## {title}\n\n{about}\n", "| method | what it does | paper |", "|---|---|---|", *rows, ""]
            )
        )
    found = f"{about_results(record)}\n\n{table(record, link=True)}" if record else UNMEASURED
    return "\n".join([*parts, f"## Results\n\n{found}\n"])


INTRODUCTION = """\
Every method is one file in `src/segdistill/methods/`, in its canonical form: the value does not change with the batch,
the number of classes or the resolution, so a weight means the same everywhere. What its authors published is told on
its page, and ready to use as a [preset](presets.md). `segdistill methods NAME` prints the same in a terminal.
"""


UNMEASURED = "Not measured yet: `python benchmarks/methods.py` makes the table."


def about_results(record: Mapping[str, Any]) -> str:
    """How the numbers were made, and how to read them."""
    setup, count = record["setup"], len(record["methods"])
    options = "; ".join(f"{name} {given}" for name, given in setup["options"].items())
    made = (
        f"{setup['images']} polyp images of {setup['size']} pixels, {setup['training']['epochs']} epochs from ImageNet "
        f"weights, tested on {' and '.join(setup['tests'])} (mean Dice per image). Each method has the weight at which "
        f"it pulls as much as the labels (the median of before the first step and after one and two epochs of the "
        f"student alone), and its default options otherwise ({options}). One with a discriminator has its default "
        f"weight: the pull of a network that has learnt nothing says nothing of its later one."
    )
    gains = (
        f"Gains are points of Dice over the student alone with the same seeds and images, with the 95 % interval for "
        f"other seeds and images like these. {count} methods are compared at once: about one interval in twenty "
        f"misses its truth by chance, so the best of the table is in part the luckiest. *At equal time* compares with "
        f"a student that trained alone for as long as the method took, read off between its schedules; a method that "
        f"took longer than the longest of them gains *at most* what is said."
    )
    return "\n\n".join((made, gains, COLUMNS, f"{CAUTION} `{record['command']}` made it."))


COLUMNS = """\
*time* is what the whole training took, with the method's preparation, loading, validation and testing, in times of the
student alone: CPU time, which a busy machine does not stretch, or wall-clock time on a GPU; the median over seeds.
*step* is the time of a step on one batch in memory, in times of a step without the method. *peak MiB* is the most
memory during such steps, less what the process held before it made the networks. *parameters* are those that are
trained beside the student's."""

CAUTION = (
    "This is one small task: it shows that a method trains and what it costs, not which is best on yours."
)


def method_page(name: str, cls: type[Method], record: Mapping[str, Any]) -> str:
    """One method's page."""
    body, arguments = split_docstring(cls)
    written = dump({"method": complete({"method": name})["method"]}).rstrip()
    parts = [
        f"{MADE}# {name}\n\n{body}",
        f"**Paper:** {cls.paper}",
        "## Use",
        f"```python\nfrom segdistill.methods import {name}\n\nmethod = {name}()\n```",
        f"In a recipe, with its defaults:\n\n```yaml\n{written}\n```",
        f"## Arguments\n\n{argument_table(cls, arguments)}",
        "## Where it works\n\n" + "\n".join(f"- {line}" for line in where(cls)),
        f"## Cost and result\n\n{result(name, cls, record)}",
    ]
    if used := uses(name):
        parts.append("## Presets\n\n" + "\n".join(f"- [`{each}`](presets.md#{each})" for each in used))
    return "\n\n".join(parts) + "\n"


def split_docstring(cls: type[Method]) -> tuple[str, dict[str, str]]:
    """What a docstring says, and what it says about each argument."""
    text = inspect.getdoc(cls) or ""
    body, *sections = re.split(r"^(Args|Raises|Examples|Attributes):\n", text, flags=re.MULTILINE)
    named = dict(zip(sections[::2], sections[1::2], strict=True))
    entries = re.findall(
        r"^    (\w+): (.*(?:\n {5,}.*|\n(?=\n {5,}))*)", named.get("Args", ""), flags=re.MULTILINE
    )
    return body.strip(), {name: " ".join(said.split()) for name, said in entries}


def argument_table(cls: type[Method], said: Mapping[str, str]) -> str:
    """The arguments with their defaults."""
    rows = [
        f"| `{name}` | `{p.default!r}` | {cell(said.get(name, ''))} |"
        for name, p in inspect.signature(cls).parameters.items()
    ]
    return "\n".join(["| argument | default | |", "|---|---|---|", *rows])


def result(name: str, cls: type[Method], record: Mapping[str, Any]) -> str:
    """What the benchmark found, or why it found nothing."""
    if "Binary" not in cls.traits.tasks:
        return f"It is not in the [table](README.md#results), whose task is binary: {cls.traits.reason}."
    row = record.get("methods", {}).get(name)
    if not row or "dice" not in row:
        return UNMEASURED
    alone, timed = points(row["gain"]), points(row.get("gain_at_equal_time"))
    lines = [
        f"Dice {score(row['dice'])} on the task of the [table](README.md#results): {alone} points over the student "
        f"alone{f', {timed} at equal time' if timed else ''}.",
        f"A step takes {row['milliseconds']['distilled']:.0f} ms, {row['step_ratio']:.2f} times one without the method "
        f"({row['device']}){whole_training(row)}; {row['parameters']:,} parameters are trained beside the student's.",
    ]
    if row["weight"] is not None:
        lines.append(f"Its weight there was {row['weight']:g}, {PLACE[row['balanced']]}.")
    return "\n".join(lines)


#: What to think of a weight, by whether it was balanced against the labels.
PLACE = {
    True: "at which it pulls as much as the labels: a place to start from",
    False: "its default: what it pulls before it has learnt says nothing of its later pull",
}


def whole_training(row: Mapping[str, Any]) -> str:
    """What a whole training takes, and its memory, where they were measured."""
    times = f", and a whole training {row['time_ratio']:.2f} times one alone" if row["time_ratio"] else ""
    peak = f", with a peak of {row['peak_mib']:.0f} MiB" if row["peak_mib"] is not None else ""
    return times + peak


def presets_page() -> str:
    """All presets."""
    parts = [f"{MADE}# Presets\n\n{PRESETS_INTRODUCTION}"]
    parts += [preset_section(name, preset) for name, preset in PRESETS.items()]
    return "\n".join(parts)


PRESETS_INTRODUCTION = """\
Losses, taps and weights together, as they were published. `paper` is what the paper says; `as_released` is what the
authors' code computes, where that differs.

```python
from segdistill.methods.presets import preset

method = preset("cirkd", variant="as_released")
```

In a recipe: `method: cirkd`, or `method: {cirkd: {variant: as_released}}`. Published weights belong to the authors'
supervised loss; where their code scales that too, the preset sets the weight of the supervised loss.
"""


def preset_section(name: str, preset: Preset) -> str:
    """One preset."""
    lines = [f"## {name}\n", f"{preset.about}\n", f"**From:** {preset.source}\n"]
    lines += [f"- `{variant}`: {'; '.join(describe(preset(variant)))}" for variant in VARIANTS]
    return "\n".join([*lines, f"\n**Where the release differs:** {preset.differences}"]) + "\n"


def cell(text: str) -> str:
    """A text that does not end a table's cell."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    write()
