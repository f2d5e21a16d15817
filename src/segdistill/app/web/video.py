"""The fourth tab: a video, or what the webcam recorded."""

from __future__ import annotations

from typing import Any

import gradio as gr

from segdistill.app import video, words
from segdistill.app.drawing import Look
from segdistill.app.web import parts
from segdistill.app.web.parts import LONG, Site
from segdistill.core import SegDistillError

HINT = (
    "<p class='hint'>Every frame is segmented; the result plays here and can be kept as WebM. A video that the browser "
    "cannot play is segmented all the same.</p>"
)


def tab(site: Site) -> None:
    """Lay out the tab and say what happens when."""
    with gr.Row():
        with gr.Column(scale=4, min_width=280):
            model = parts.chooser(site, "Network", "video-model")
            given = gr.Video(
                label="Video", sources=["upload", "webcam"], height=240, buttons=[], elem_id="video-file"
            )
            with gr.Accordion("How masks are drawn", open=False):
                controls = parts.controls("video")
            start = gr.Button("Segment the video", variant="primary", elem_id="video-start")
        with gr.Column(scale=8, min_width=280):
            result = gr.Video(
                label="Result", interactive=False, buttons=["download"], height=460, elem_id="video-result"
            )
            said = gr.HTML(HINT, elem_id="video-facts")

    def segment(
        path: str | None,
        name: str,
        threshold: float,
        opacity: float,
        style: str,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how gradio knows that progress is shown
    ) -> list[Any]:
        try:
            if path is None:
                raise SegDistillError("There is no video yet: choose a file, or record one with the webcam.")
            out = site.scratch.folder() / "segdistill.webm"
            watched = video.watch(
                site.model(name),
                path,
                out,
                look=Look(threshold, opacity, style),
                limits=site.limits,
                tick=lambda done, of: progress((done, of), unit="frames"),
            )
        except SegDistillError as error:
            return [None, parts.tell(error)]
        return [str(out), words.video(watched)]

    start.click(segment, [given, model, *controls.all], [result, said], **LONG)
