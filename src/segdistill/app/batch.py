"""Many images in, one zip out: masks, overlays and a table. A bad file is a row of the table, not the end."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from segdistill.app import archives
from segdistill.app.drawing import Look, draw
from segdistill.app.finding import Found
from segdistill.app.intake import Limits, check_kept, read_upload
from segdistill.app.model import Model
from segdistill.core import SegDistillError
from segdistill.export import pictures
from segdistill.export.files import png, reason

COLUMNS = ("name", "class", "area_px", "area_percent", "seconds", "problem")
Row = tuple[str, str, int | str, str, str, str]


@dataclass(frozen=True)
class Source:
    """One file of a batch: on the disk, or inside a zip.

    Attributes:
        name: What the table calls it.
        path: The file, or the zip.
        size: Its bytes, unpacked.
        member: Its name in the zip.
    """

    name: str
    path: Path
    size: int
    member: str | None = None


@dataclass
class Job:
    """What became of a batch.

    Attributes:
        rows: Of the table, by `COLUMNS`.
        done: Images that were segmented.
        problems: What was wrong, by file.
    """

    rows: list[Row] = field(default_factory=list)
    done: int = 0
    problems: dict[str, str] = field(default_factory=dict)


def sources(paths: Sequence[str | Path], limits: Limits) -> list[Source]:
    """List the files of an upload; those of zips one by one.

    Args:
        paths: Files; with several, each keeps its own name.
        limits: How many, and how large.

    Raises:
        SegDistillError: If there is none, one is gone, there are too many, or a zip is not fit to be opened.
    """
    found: list[Source] = []
    for path in map(Path, paths):
        check_kept(path)
        if archives.is_zip(path):
            found += [Source(member, path, size, member) for member, size in archives.members(path).items()]
        elif not path.name.startswith("."):
            found.append(Source(path.name, path, path.stat().st_size))
    if not found:
        raise SegDistillError("There is nothing to segment: choose images, a folder of images, or a zip.")
    if len(found) > limits.files:
        raise SegDistillError(
            f"These are {len(found)} files, and {limits.files} are the limit: send them in parts."
        )
    total = sum(source.size for source in found) / 1e6
    if total > limits.unpacked_megabytes:
        raise SegDistillError(
            f"These are {total:.0f} MB unpacked, and {limits.unpacked_megabytes} are the limit: send them in parts."
        )
    return found


def run(
    model: Model,
    files: Sequence[Source],
    out: Path,
    *,
    look: Look,
    limits: Limits,
    tick: Callable[[int, str], object] = lambda done, name: None,
) -> Job:
    """Segment files and write the zip.

    Args:
        model: The network.
        files: What `sources` found.
        out: The zip to write; images unpacked on the way lie beside it for a moment.
        look: Threshold of the masks, and how overlays are drawn.
        limits: Of each image.
        tick: Told how many are done, and which is next.

    Returns:
        The table, and what was wrong with which file.

    Raises:
        SegDistillError: If the zip cannot be written, as on a full disk.
    """
    job = Job()
    names = unique_names([source.name for source in files])
    try:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:  # PNG is compressed already
            for index, (source, name) in enumerate(zip(files, names, strict=True)):
                tick(index, source.name)
                _add(archive, job, model, source, name, look=look, limits=limits)
            archive.writestr("areas.csv", table(job.rows))
    except OSError as error:
        out.unlink(missing_ok=True)
        raise SegDistillError(
            f"The results cannot be written: {reason(error)}; send fewer images."
        ) from error
    return job


def unique_names(names: Sequence[str]) -> list[str]:
    """Names of results without their ending, each once: of `a.png` and `a.jpg` the second becomes `a-2`.

    Examples:
        >>> unique_names(["a.png", "A.jpg", "set/a.png"])
        ['a', 'A-2', 'set/a']
    """
    taken: set[str] = set()
    chosen = []
    for name in names:
        stem = str(PurePosixPath(name.replace("\\", "/")).with_suffix(""))
        number, unique = 1, stem
        while unique.casefold() in taken:  # macOS and Windows take A.png and a.png for one file
            number += 1
            unique = f"{stem}-{number}"
        taken.add(unique.casefold())
        chosen.append(unique)
    return chosen


def table(rows: Sequence[Row]) -> str:
    """The rows as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_inert(str(cell)) for cell in row] for row in rows)
    return text.getvalue()


def _add(
    archive: zipfile.ZipFile, job: Job, model: Model, source: Source, name: str, *, look: Look, limits: Limits
) -> None:
    try:
        found = _segment(model, source, Path(str(archive.filename)).parent, limits)
    except SegDistillError as error:
        job.problems[source.name] = str(error)
        job.rows.append((source.name, "", "", "", "", str(error)))
        return
    for path, content in _results(found, name, look):
        archive.writestr(path, content)
    job.rows += _rows(source.name, found, look.threshold)
    job.done += 1


def _segment(model: Model, source: Source, folder: Path, limits: Limits) -> Found:
    with _file(source, folder) as path:
        image = read_upload(path, limits, name=source.name)
    return model(image, name=source.name)


@contextmanager
def _file(source: Source, folder: Path) -> Iterator[Path]:
    lent = (
        archives.unpacked(source.path, source.member, folder) if source.member else nullcontext(source.path)
    )
    with lent as path:
        yield path


def _results(found: Found, name: str, look: Look) -> Iterator[tuple[str, bytes]]:
    for suffix, picture in pictures.files(found.at(look.threshold), found.classes):
        yield f"masks/{name}{suffix}.png", png(picture)
    yield f"overlays/{name}.png", png(draw(found, look))


def _rows(name: str, found: Found, threshold: float) -> Iterator[Row]:
    for area in found.areas(threshold):
        yield name, area.name, area.pixels, f"{area.percent:.4f}", f"{found.seconds:.4f}", ""


def _inert(cell: str) -> str:
    """A name that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
