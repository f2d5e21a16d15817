"""What the page says, as HTML in which nothing of a user's is taken for markup."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from segdistill.app.batch import Job
from segdistill.app.finding import Area, Found
from segdistill.app.model import Model
from segdistill.app.video import Watched


def header(models: Sequence[Model]) -> str:
    """The title, and one line for each network."""
    lines = "".join(
        f"<p class='net'><b>{escape(model.name)}</b> <span>{escape(model.about)}</span></p>"
        for model in models
    )
    return f"<header><h1>segdistill</h1>{lines}</header>"


def facts(found: Found, threshold: float) -> str:
    """Area by class in percent and pixels, then size and time."""
    height, width = found.image.shape[:2]
    rows = "".join(map(_row, found.areas(threshold)))
    time = f"{1000 * found.seconds:.0f} ms"
    return (
        f"<div class='facts'><table><tr><th>class</th><th>of the image</th><th>pixels</th></tr>{rows}</table>"
        f"<p>{escape(found.name)} &middot; {width} x {height} pixels &middot; "
        f"<span class='time'>{time} per frame</span></p></div>"
    )


def _row(area: Area) -> str:
    swatch = f"<i style='background:rgb{area.color}'></i>"
    return (
        f"<tr><td>{swatch}{escape(area.name)}</td><td>{area.percent:.2f} %</td>"
        f"<td>{grouped(area.pixels)}</td></tr>"
    )


def agreed(dice: float, *, classes: int = 1) -> str:
    """How far two networks agree, and how to read the picture of their difference; several classes count as one."""
    masks = "the two masks" if classes == 1 else "what is marked, all classes as one,"
    return (
        f"<div class='facts'><p>Dice of {masks} <b>{dice:.3f}</b> &middot; "
        "<i style='background:rgb(242,242,242)'></i>both <i style='background:rgb(230,159,0)'></i>left only "
        "<i style='background:rgb(86,180,233)'></i>right only</p></div>"
    )


def problem(sentence: str) -> str:
    """What went wrong, to stay on the page where a result would be."""
    return f"<p class='problem' role='alert'>{escape(sentence)}</p>"


def batch(job: Job, *, most: int = 200) -> str:
    """How a batch went: the first files that were no images, and the first `most` rows of the table."""
    text = f"<p><b>{job.done}</b> {'image' if job.done == 1 else 'images'} segmented.</p>"
    if job.problems:
        named = "".join(f"<li>{escape(sentence)}</li>" for sentence in list(job.problems.values())[:5])
        more = len(job.problems) - 5
        rest = f"<li>and {more} more, named in areas.csv</li>" if more > 0 else ""
        text += f"<div class='problem'>{len(job.problems)} left out:<ul>{named}{rest}</ul></div>"
    return f"<div class='facts'>{text}{_table(job, most)}</div>"


def _table(job: Job, most: int) -> str:
    measured = [row for row in job.rows if not row[-1]]
    if not measured:
        return ""
    heads = "".join(f"<th>{head}</th>" for head in ("image", "class", "of the image", "pixels", "time"))
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(kind)}</td><td>{float(percent):.2f} %</td>"
        f"<td>{grouped(int(pixels))}</td><td>{1000 * float(seconds):.0f} ms</td></tr>"
        for name, kind, pixels, percent, seconds, _ in measured[:most]
    )
    rest = f"<p>and {len(measured) - most} more in areas.csv</p>" if len(measured) > most else ""
    return f"<table><tr>{heads}</tr>{rows}</table>{rest}"


def video(watched: Watched) -> str:
    """How a video went."""
    cut = f" The video is longer; the first {watched.frames} frames were read." if watched.cut else ""
    damage = problem(f"{watched.damage}.") if watched.damage else ""
    return (
        f"<div class='facts'><p>{watched.frames} frames &middot; {watched.percent:.2f} % of the picture on average "
        f"&middot; {watched.network_fps:.1f} frames per second by the network, {watched.end_to_end_fps:.1f} with "
        f"reading, drawing and writing.{cut}</p></div>{damage}"
    )


#: What the colours of a probability map mean.
SCALE = "<p class='scale'><span>0</span><i></i><span>1</span></p>"


def grouped(number: int) -> str:
    """A number in groups of three digits, parted by narrow spaces."""
    return f"{number:,}".replace(",", "\u202f")
