"""The second tab: two networks on one image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from segdistill.app import words
from segdistill.app.drawing import Look, agreement, difference, draw
from segdistill.app.finding import Found
from segdistill.app.shelf import Slot
from segdistill.app.web import parts
from segdistill.app.web.parts import LIVE, SHORT, Site
from segdistill.core import SegDistillError

HINT = "<p class='hint'>Choose an image to see both networks on it.</p>"
ALONE = (
    "One network was started. Name two to compare them, such as a teacher and a student:\n\n"
    "`segdistill app runs/teacher runs/student`"
)


def tab(site: Site) -> None:
    """Lay out the tab and say what happens when."""
    if len(site.models) < 2:
        gr.Markdown(ALONE)
        return
    with gr.Row():
        with gr.Column(scale=4, min_width=280):
            source = parts.source(site, "compare")
            controls = parts.controls("compare")
        with gr.Column(scale=8, min_width=280):
            with gr.Row():
                sides = [_side(site, index, name) for index, name in enumerate(("left", "right"))]
            gap = parts.picture("Difference", "compare-difference", small=True)
            said = gr.HTML(HINT, elem_id="compare-facts")
    kept = parts.state()
    choices = [choice for choice, _, _ in sides]
    drawn = [*(part for _, *side in sides for part in side), gap, said]
    asked = [*choices, *controls.all]

    def show(
        given: str | Path | Found | None, left: str, right: str, *values: Any, called: str | None = None
    ) -> list[Any]:
        if given is None:
            return _nothing()
        try:
            first = site.find(left, given, name=called)
            pair = (*first, *site.find(right, first[0]))
        except SegDistillError as error:
            return _nothing(parts.tell(error))
        return [site.shelf.keep(pair), *_drawn(pair, Look(*values))]

    def again(kept: Slot | None, *rest: Any) -> list[Any]:
        return show(next(iter(kept.results), None) if kept else None, *rest)

    def redraw(kept: Slot | None, *values: Any) -> list[Any]:
        pair = kept.results if kept else ()
        return _drawn(pair, Look(*values)) if pair else _nothing()[1:]

    everything = [kept, *drawn]
    parts.on_image(site, source, show, asked, everything, key="compare-left")
    gr.on([choice.input for choice in choices], again, [kept, *asked], everything, **SHORT)
    gr.on([c.change for c in controls.all], redraw, [kept, *controls.all], drawn, **LIVE)


def _side(site: Site, index: int, name: str) -> tuple[gr.Dropdown, gr.Image, gr.HTML]:
    with gr.Column(min_width=280):
        choice = parts.chooser(site, name.capitalize(), f"compare-{name}-model", index=index)
        return choice, parts.picture(name.capitalize(), f"compare-{name}", small=True, named=False), gr.HTML()


def _drawn(pair: Sequence[Found], look: Look) -> list[Any]:
    left, small_left, right, small_right = pair
    sides = [
        part
        for full, small in ((left, small_left), (right, small_right))
        for part in (draw(small, look), words.facts(full, look.threshold))
    ]
    gap = difference(small_left, small_right, look.threshold)
    classes = max(len(left.named), len(right.named))
    return [*sides, gap, words.agreed(agreement(left, right, look.threshold), classes=classes)]


def _nothing(said: str = HINT) -> list[Any]:
    return [None, None, "", None, "", None, said]
