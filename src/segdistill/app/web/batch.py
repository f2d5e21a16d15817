"""The third tab: many images at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from segdistill.app import batch, words
from segdistill.app.drawing import Look
from segdistill.app.web import parts
from segdistill.app.web.parts import LONG, Site
from segdistill.core import SegDistillError

HINT = (
    "<p class='hint'>You get a zip with <code>masks/</code>, <code>overlays/</code> and <code>areas.csv</code>. "
    "A file that is no image is named there, and does not stop the others.</p>"
)


def tab(site: Site) -> None:
    """Lay out the tab and say what happens when."""
    with gr.Row():
        with gr.Column(scale=4, min_width=280):
            model = parts.chooser(site, "Network", "batch-model")
            with gr.Tabs():
                with gr.Tab("Files or zip"):
                    files = gr.File(
                        label="Images, or a zip of images",
                        file_count="multiple",
                        height=160,
                        elem_id="batch-files",
                    )
                with gr.Tab("Folder"):
                    folder = gr.File(
                        label="A folder of images", file_count="directory", height=160, elem_id="batch-folder"
                    )
            with gr.Accordion("How masks are drawn", open=False):
                controls = parts.controls("batch")
            start = gr.Button("Segment all", variant="primary", elem_id="batch-start")
        with gr.Column(scale=8, min_width=280):
            result = gr.File(label="Result", visible=False, elem_id="batch-result")
            said = gr.HTML(HINT, elem_id="batch-facts", min_height=60)

    def segment(
        one: list[str] | None,
        other: list[str] | None,
        name: str,
        threshold: float,
        opacity: float,
        style: str,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how gradio knows that progress is shown
    ) -> list[Any]:
        try:
            wanted = batch.sources([*(one or []), *(other or [])], site.limits)
            out = site.scratch.folder() / "segdistill.zip"
            job = batch.run(
                site.model(name),
                wanted,
                out,
                look=Look(threshold, opacity, style),
                limits=site.limits,
                tick=lambda done, file: progress((done, len(wanted)), desc=Path(file).name, unit="images"),
            )
        except SegDistillError as error:
            return [gr.File(visible=False), parts.tell(error)]
        return [gr.File(str(out), visible=True), words.batch(job)]

    start.click(segment, [files, folder, model, *controls.all], [result, said], **LONG)
