"""The first tab: one image, one network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from segdistill.app import download, words
from segdistill.app.drawing import Look, draw
from segdistill.app.finding import Found
from segdistill.app.shelf import Slot
from segdistill.app.web import parts
from segdistill.app.web.parts import LIVE, PRIVATE, SHORT, Site
from segdistill.core import SegDistillError
from segdistill.viz import heatmap

HINT = "<p class='hint'>Choose an image, take one with the webcam, or click an example.</p>"
#: A file is ready only when its button has been redrawn; the hidden button then starts the download.
FETCH = "() => setTimeout(() => document.querySelector('#{key} button, a#{key}, button#{key}').click(), 150)"

Write = Callable[[Found, Look, Path], Path]


@dataclass(frozen=True)
class Results:
    """What the tab shows."""

    kept: gr.State
    picture: gr.Image
    facts: gr.HTML
    heat: gr.Image
    shown_class: gr.Dropdown
    threshold: gr.Slider
    buttons: gr.Row

    @property
    def all(self) -> list[Any]:
        """In the order in which they are given."""
        return [
            self.kept, self.picture, self.facts, self.heat, self.shown_class, self.threshold, self.buttons,
        ]  # fmt: skip


def tab(site: Site) -> None:
    """Lay out the tab and say what happens when."""
    with gr.Row():
        with gr.Column(scale=4, min_width=280):
            model = parts.chooser(site, "Network", "segment-model")
            source = parts.source(site, "segment")
        with gr.Column(scale=8, min_width=280):
            picture = parts.picture("Result", "segment-picture")
            with gr.Row():
                with gr.Column(min_width=240):
                    facts = gr.HTML(HINT, elem_id="segment-facts")
                    controls = parts.controls("segment")
                    with gr.Row(visible=False) as buttons:
                        masks = gr.Button("Download mask", size="sm", elem_id="segment-get-mask")
                        overlays = gr.Button("Download overlay", size="sm", elem_id="segment-get-overlay")
                    hidden = [
                        gr.DownloadButton(visible="hidden", elem_id=f"segment-{kind}-file")
                        for kind in ("mask", "overlay")
                    ]
                with gr.Column(min_width=240):
                    heat = parts.picture("Probability", "segment-heat", small=True)
                    gr.HTML(words.SCALE)
                    shown_class = gr.Dropdown([], label="Class of the probability map", visible=False)
    results = Results(parts.state(), picture, facts, heat, shown_class, controls.threshold, buttons)
    look = controls.all
    drawn = [picture, facts, heat]

    def show(
        given: str | Path | Found | None, name: str, *values: Any, called: str | None = None
    ) -> list[Any]:
        if given is None:
            return _nothing()
        try:
            found = site.find(name, given, name=called)
        except SegDistillError as error:
            return _nothing(parts.tell(error))
        return [site.shelf.keep(found), *_results(found, Look(*values))]

    def again(kept: Slot | None, *rest: Any) -> list[Any]:
        return show(next(iter(kept.results), None) if kept else None, *rest)

    def redraw(kept: Slot | None, chosen: str | None, *values: Any) -> list[Any]:
        results = kept.results if kept else ()
        return _drawn(results, Look(*values), chosen) if results else _nothing()[1:4]

    parts.on_image(site, source, show, [model, *look], results.all, key="segment-picture")
    model.input(again, [results.kept, model, *look], results.all, **SHORT)
    moved = [*(control.change for control in look), shown_class.input]
    gr.on(moved, redraw, [results.kept, shown_class, *look], drawn, **LIVE)

    for button, target, write in zip(
        (masks, overlays), hidden, (download.mask, download.overlay), strict=True
    ):
        _offer(site, button, target, write, [results.kept, *look])


def _offer(site: Site, button: gr.Button, target: gr.DownloadButton, write: Write, asked: list[Any]) -> None:
    """Write what is shown when its button is pressed, and let the browser fetch it."""

    def save(kept: Slot | None, *values: Any) -> str:
        results = kept.results if kept else ()
        if not results:
            raise gr.Error("The picture is no longer kept: choose it again.", print_exception=False)
        return str(write(results[0], Look(*values), site.scratch.folder()))

    fetch = FETCH.replace("{key}", str(target.elem_id))
    button.click(save, asked, target, **SHORT).success(None, js=fetch, **PRIVATE)


def _results(found: Sequence[Found], look: Look) -> list[Any]:
    full = found[0]
    many = len(full.named) > 1
    classes = gr.Dropdown(choices=list(full.named), value=full.named[0], visible=many)
    threshold = gr.Slider(visible=full.has_threshold)
    return [*_drawn(found, look, None), classes, threshold, gr.Row(visible=True)]


def _drawn(found: Sequence[Found], look: Look, chosen: str | None) -> list[Any]:
    full, small = found
    heat = heatmap(small.probability(chosen).clip(0, 1))
    return [draw(small, look), words.facts(full, look.threshold), heat]


def _nothing(said: str = HINT) -> list[Any]:
    """An empty tab: an older result beside a new file would pass for its own."""
    return [
        None,
        None,
        said,
        None,
        gr.Dropdown(visible=False),
        gr.Slider(visible=True),
        gr.Row(visible=False),
    ]
