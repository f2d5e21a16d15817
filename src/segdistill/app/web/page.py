"""The page: its title and its tabs."""

from __future__ import annotations

import gradio as gr

from segdistill.app import words
from segdistill.app.scratch import HOUR
from segdistill.app.web import batch, compare, segment, video
from segdistill.app.web.parts import Site

FOOT = "<p class='hint'>Uploads are deleted after an hour. Not a medical device.</p>"


def page(site: Site) -> gr.Blocks:
    """Lay out everything."""
    with gr.Blocks(
        title="segdistill", analytics_enabled=False, delete_cache=(60, HOUR), fill_width=False
    ) as blocks:
        gr.HTML(words.header(site.models))
        with gr.Tab("Segment"):
            segment.tab(site)
        with gr.Tab("Compare"):
            compare.tab(site)
        with gr.Tab("Batch"):
            batch.tab(site)
        with gr.Tab("Video"):
            video.tab(site)
        gr.HTML(FOOT)
    blocks.queue(max_size=32)
    return blocks
