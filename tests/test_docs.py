"""The pages and docstrings say what is true: their Python runs, their commands exist.

Every Python block of a page must parse, and the names it takes from `segdistill` must exist. A comment on the
line before a block says more:

- `<!-- runs -->`: it is run on tiny networks and data, in one namespace with the page's blocks before it;
- `<!-- raises: SENTENCE -->`: it is run, and must fail with that sentence.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

import segdistill as sd
import toys

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?:^<!-- (runs|raises)(?:: (.*?))? -->\n)?^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    mark: str
    sentence: str
    language: str
    text: str


def blocks(page: Path, *languages: str) -> list[Block]:
    found = [Block(*match) for match in BLOCK.findall(page.read_text())]
    return [block for block in found if block.language in languages]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]
RUNNABLE = [page for page in WITH_PYTHON if any(block.mark for block in blocks(page, "python"))]


def test_python_on_the_pages_uses_names_that_exist():
    for page in WITH_PYTHON:
        for block in blocks(page, "python"):
            for name in names_of_ours(ast.parse(block.text, filename=relative(page))):
                resolve(name)


def names_of_ours(tree: ast.Module) -> set[str]:
    """Dotted names below `segdistill` that the code imports, or reads as `sd.…`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("segdistill"):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sd":
            names.add(f"segdistill.{node.attr}")
    return names


def resolve(dotted: str) -> object:
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("page", RUNNABLE, ids=relative)
def test_python_on_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = stage(page)
    for block in blocks(page, "python"):
        if block.mark == "runs":
            exec(compile(block.text, relative(page), "exec"), namespace)
        elif block.mark == "raises":
            with pytest.raises(sd.SegDistillError, match=re.escape(block.sentence)):
                exec(compile(block.text, relative(page), "exec"), namespace)


def stage(page: Path) -> dict[str, object]:
    """What the blocks of a page find ready: networks, data, and finished runs where the page reads them."""
    data = sd.Data(train=toys.Discs(8), val=toys.Discs(4, seed=1), tests={"test": toys.Discs(4, seed=2)})
    found = {
        "__name__": "page",
        "big_net": toys.tiny_net(width=16),
        "small_net": toys.tiny_net(),
        "data": data,
    }
    if "baseline.path" in page.read_text():
        once = sd.Training(epochs=1, batch_size=4, workers=0)
        found |= {
            name: sd.train(sd.Tapped(toys.tiny_net(seed=seed)), data, out=f"runs/{name}", training=once)
            for seed, name in enumerate(("baseline", "distilled"))
        }
    return found


COMMAND_PAGES = [page for page in PAGES if blocks(page, "bash", "console")]


@pytest.mark.parametrize("page", COMMAND_PAGES, ids=relative)
def test_commands_on_a_page_exist_with_their_options(page):
    import typer

    from segdistill.cli import app

    root = typer.main.get_command(app)
    for block in blocks(page, "bash", "console"):
        for words in commands(block.text):
            check(root, words)


def commands(text: str) -> list[list[str]]:
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    words = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [line[1:] for line in words if line[:1] == ["segdistill"]]


def check(command, words: list[str]) -> None:
    for word in words:
        if word in getattr(command, "commands", {}):
            command = command.commands[word]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)} - {"--help"}
    assert not getattr(command, "commands", None) or used | {"--help"} >= set(words), (
        f"no such command: {words}"
    )
    assert used <= options, f"{' '.join(words)}: {sorted(used - options)}"


def modules_with_examples() -> list[str]:
    source = ROOT / "src"
    paths = [path for path in sorted(source.rglob("*.py")) if ">>> " in path.read_text()]
    return [
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__") for path in paths
    ]


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings_hold(name, tmp_path, monkeypatch):
    module = importlib.import_module(name)
    monkeypatch.chdir(tmp_path)
    assert not doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).failed


def test_the_reference_explains_every_training_option_with_its_default():
    text = (ROOT / "docs/reference/command-line.md").read_text()
    rows = re.findall(r"^\|(.+?)\|(.*?)\|", text.split("### training")[1], flags=re.MULTILINE)
    stated = {name: default.strip() for names, default in rows for name in re.findall(r"`(\w+)`", names)}
    actual = {option: written(default) for option, default in sd.Training().as_dict().items()}
    assert stated == actual


def written(default: object) -> str:
    """A default as the page writes it."""
    if default is None:
        return ""
    return f"{default:g}" if isinstance(default, float) else str(default).lower()
