"""How the page looks: system fonts, one column on a phone, nothing from another host."""

from __future__ import annotations

import gradio as gr

FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

#: A browser that obeys this asks no other host for anything, whatever the page holds.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' ws: wss: data: blob:; worker-src 'self' blob:"
)

CSS = """
.gradio-container { max-width: 1240px !important; margin: 0 auto !important; }
:root { --quiet: #475569; --wrong: #b3261e; } .dark { --quiet: #a9b4c4; --wrong: #ff8a80; }
.prose header h1 { font-size: 1.5rem; font-weight: 650; margin: 0 0 .2rem; letter-spacing: -.01em; }
.prose header .net { margin: 0; line-height: 1.5; }
.prose header .net span, .prose .hint, .prose .facts p { color: var(--quiet); }
.prose .facts p { margin: 0; font-size: .9em; overflow-wrap: anywhere; }
.prose .facts p i { margin-left: .7em; }
.prose .facts i { display: inline-block; width: .8em; height: .8em; border-radius: 3px; margin-right: .5em;
  vertical-align: -.05em; border: 1px solid rgba(0, 0, 0, .15); }
.prose .facts table { border: 0; border-collapse: collapse; width: 100%; margin: .2rem 0 .4rem; }
.prose .facts tr { border: 0; background: none; }
.prose .facts th, .prose .facts td { text-align: right; padding: .2rem 0 .2rem .6rem; border: 0; }
.prose .facts th { font-weight: 400; font-size: .85em; color: var(--quiet); }
.prose .facts td { font-variant-numeric: tabular-nums; border-top: 1px solid var(--border-color-primary); }
.prose .facts th:first-child, .prose .facts td:first-child { text-align: left; padding-left: 0; }
.prose .facts td:first-child { overflow-wrap: anywhere; }
.prose .problem, .prose .problem * { color: var(--wrong); margin: 0; overflow-wrap: anywhere; }
.prose .problem { margin: .3rem 0; }
.prose .problem ul { margin-left: 1.2rem; list-style: disc; }
.time { white-space: nowrap; }
.examples, .examples .grid-wrap, .examples .grid-container {
  padding: 0 !important; min-height: 0 !important; height: auto !important; max-height: none !important; }
.prose .scale { display: flex; align-items: center; gap: .6em; margin: 0; color: var(--quiet); font-size: .85em; }
.prose .scale i { flex: 1; height: .6em; border-radius: 3px;
  background: linear-gradient(90deg, #440154, #3b528b, #21918c, #5ec962, #fde725); }
#batch-facts .pending, #video-facts .pending { opacity: 0 !important; }
.shown { min-height: 12rem; }
.shown .image-frame { width: 100%; }
.shown img { width: 100% !important; object-fit: contain !important; }
.shown:not(.fullscreen) img { height: auto !important; max-height: 30rem; }
.shown.small { min-height: 9rem; }
.shown.small:not(.fullscreen) img { max-height: 17rem; }
@media (max-width: 640px) {
  .gradio-container, .gradio-container .app { padding: .4rem !important; }
  .prose header h1 { font-size: 1.25rem; }
}
"""


def theme() -> gr.themes.Base:
    """Neutral greys, one blue, fonts that are there already."""
    chosen = gr.themes.Default(
        primary_hue="sky",
        neutral_hue="slate",
        radius_size="md",
        font=FONT,
        font_mono=MONO,
    )
    return chosen.set(block_label_text_size="*text_sm", button_primary_background_fill="*primary_600")
