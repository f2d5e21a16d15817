"""The repository itself: documented, consistent, and free of anything that belongs to one machine."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|tmp|root|home|Users)/[\w.-]+")
REGISTRY = re.compile(r"https?://[^\s\"')]*/simple\b|--(?:extra-)?index-url[ =]\S+|file://")
PACKAGES = {  # import name -> package name, where they differ
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "lightning_fabric": "lightning-fabric",
    "segmentation_models_pytorch": "segmentation-models-pytorch",
    "yaml": "pyyaml",
}


def text_files() -> Iterator[Path]:
    """Every text file that belongs to the project."""
    kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".cff", ".j2", ".json", ""}
    for folder in ("src", "tests", "docs", "benchmarks", ".ci"):
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix in kinds)
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.suffix in kinds)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine path", "registry"])
def test_no_file_names_something_of_one_machine(pattern):
    found = [
        f"{relative(path)}:{number}: {line.strip()[:80]}"
        for path in text_files()
        if path != Path(__file__)
        and "__pycache__" not in path.parts
        and path.name not in (".git", ".coverage")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_the_patterns_find_what_they_should():
    assert MACHINE_PATH.search("open('/" + "home/me/data')")
    assert not MACHINE_PATH.search("see https://host.org/" + "home/page or runs/" + "tmp/x")
    assert REGISTRY.search("https://" + "mirror.example/pypi/simple")


def test_all_versions_agree():
    import segdistill

    version = PROJECT["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    newest = re.search(r"^## (\S+) \((\S+)\)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert newest is not None
    assert segdistill.__version__ == version
    assert citation["version"] == version == newest[1]
    assert str(citation["date-released"]) == newest[2]


def test_the_paper_of_every_method_can_be_cited():
    from segdistill.methods import Method

    references = yaml.safe_load((ROOT / "CITATION.cff").read_text())["references"]
    for name, method in Method.catalogue.items():
        if not method.__module__.startswith("segdistill."):
            continue  # a test's own
        cited = [each for each in references if name in each.get("notes", "").split(", ")]
        assert cited, f"name {name} in the notes of its paper in CITATION.cff"
        author = cited[0]["authors"][0].get("family-names", cited[0]["title"])
        assert author in method.paper, f"{name}: {method.paper}"


def test_everything_public_says_what_it_is_for():
    silent = {relative(path): found for path in SOURCES if (found := list(undocumented(parse(path))))}
    assert not silent, "give these a docstring"


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Public names without a docstring; a method's may stand in another class, such as its protocol."""
    if not ast.get_docstring(tree):
        yield "the module"
    for node in public(tree.body, (ast.FunctionDef, ast.ClassDef)):
        if not ast.get_docstring(node):
            yield node.name
        if isinstance(node, ast.ClassDef):
            methods = public(node.body, (ast.FunctionDef,))
            yield from (
                f"{node.name}.{method.name}" for method in methods if method.name not in documented_methods()
            )


def public(
    body: list[ast.stmt], kinds: tuple[type[ast.stmt], ...]
) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    yield from (node for node in body if isinstance(node, kinds) and not node.name.startswith("_"))


@cache
def documented_methods() -> set[str]:
    """Every method name that some class of the package explains."""
    classes = [node for path in SOURCES for node in parse(path).body if isinstance(node, ast.ClassDef)]
    methods = [method for node in classes for method in public(node.body, (ast.FunctionDef,))]
    return {method.name for method in methods if ast.get_docstring(method)}


def test_a_file_holds_one_idea():
    lengths = {relative(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert not {path: lines for path, lines in lengths.items() if lines > 300}, "split them"


def test_every_import_is_a_declared_dependency():
    known = declared() | set(sys.stdlib_module_names)
    unknown = {relative(path): found for path in SOURCES if (found := imported(parse(path)) - known)}
    assert not unknown, "declare these in pyproject.toml"


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def declared() -> set[str]:
    packages = {re.split(r"[<>=\[ ;]", line)[0] for line in requirements()}
    names = {name for name, package in PACKAGES.items() if package in packages}
    return names | {package.replace("-", "_") for package in packages} | {"segdistill"}


def requirements(*, tools: bool = False) -> list[str]:
    """What the package needs, with every extra for users; and what only its developers need."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    chosen = [line for name, lines in extras.items() if tools or name != "dev" for line in lines]
    return [line for line in (*project["dependencies"], *chosen) if not line.startswith("segdistill")]


def test_every_dependency_has_a_lower_bound_and_a_tested_version():
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    tested = {canonical(name): version for name, version in (pin.split("==") for pin in pins)}
    for line in requirements(tools=True):
        name, bound = line.split(">=")
        assert numbers(tested[canonical(name)]) >= numbers(bound), line


def canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def test_constraints_name_no_package_of_one_platform():
    assert not re.search(r"^(nvidia|cuda|triton)", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE)


def test_every_make_command_of_a_page_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    used = {
        (relative(page), target)
        for page in PAGES
        for target in re.findall(r"(?:^|`|\$ )make ([a-z-]+)", page.read_text(), flags=re.MULTILINE)
    }
    assert not {(page, target) for page, target in used if target not in targets}


def test_every_link_of_a_page_leads_somewhere():
    dead = [
        (relative(page), link) for page in PAGES for link in links(page) if not leads_somewhere(page, link)
    ]
    assert not dead


def links(page: Path) -> list[str]:
    return re.findall(r"\]\((?!https?://|mailto:)([^)\s]+)\)", page.read_text())


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in anchors(target))


@cache
def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_two_commands_stand_on_the_first_screen():
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:40])
    for wanted in ("make demo", "make test", "docs/images/demo.png"):
        assert wanted in first_screen


def test_help_answers_in_under_a_second():
    command = [sys.executable, "-c", "from segdistill.cli import main; main()", "--help"]
    seconds = min(processor_seconds(command) for _ in range(2))
    assert seconds < 1.0


def processor_seconds(command: list[str]) -> float:
    """What the command itself costs, however busy the machine is."""
    before = os.times()
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)
