"""Pieces that several tabs share: where an image comes from, how it is drawn, and what is said if it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from segdistill.app import words
from segdistill.app.drawing import STYLES, Look
from segdistill.app.finding import THRESHOLD, Found
from segdistill.app.intake import Limits, read_upload
from segdistill.app.model import Model
from segdistill.app.scratch import HOUR, Scratch
from segdistill.app.shelf import Shelf
from segdistill.core import SegDistillError

#: Longest side of what is sent to a screen; downloads have the source's own size.
SCREEN = 1024
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
#: One of these runs at a time, for all users together.
LONG: dict[str, Any] = {**PRIVATE, "concurrency_limit": 1, "concurrency_id": "long"}
#: Two of these run at a time, whatever they are: more would only wait for the same processors.
SHORT: dict[str, Any] = {**PRIVATE, "concurrency_limit": 2, "concurrency_id": "short"}
#: Redraw while a slider moves: the newest value wins, and nothing flickers.
LIVE: dict[str, Any] = {**SHORT, "trigger_mode": "always_last", "show_progress": "hidden"}


@dataclass(frozen=True)
class Site:
    """What the page is about; the same for every user, and never changed.

    Attributes:
        models: To choose from.
        examples: Image files.
        limits: Of what a user may send.
        scratch: Where files for users lie.
        shelf: Where results for users are kept.
    """

    models: Sequence[Model]
    examples: Sequence[Path]
    limits: Limits
    scratch: Scratch
    shelf: Shelf

    def model(self, name: str) -> Model:
        """The network of a name, which is one of them."""
        return next(model for model in self.models if model.name == name)

    def find(self, model: str, given: str | Path | Found, *, name: str | None = None) -> tuple[Found, Found]:
        """Ask a network about a file, or about the image of an earlier result.

        Returns:
            The result at the size of the source, and a copy for the screen.

        Raises:
            SegDistillError: If the file is not fit to be read, or the network failed.
        """
        if isinstance(given, Found):
            image, name = given.image, given.name
        else:
            name = name or Path(given).name
            image = read_upload(given, self.limits, name=name)
        found = self.model(model)(image, name=name)
        return found, found.shrunk(SCREEN)


@dataclass(frozen=True)
class Source:
    """Where an image comes from."""

    file: gr.File
    camera: gr.Image
    gallery: gr.Gallery


@dataclass(frozen=True)
class Controls:
    """How masks are drawn."""

    threshold: gr.Slider
    opacity: gr.Slider
    style: gr.Radio

    @property
    def all(self) -> list[Any]:
        """In the order of `Look`."""
        return [self.threshold, self.opacity, self.style]


def state() -> gr.State:
    """A place for the `Slot` of one user, for an hour."""
    return gr.State(None, time_to_live=HOUR)


def source(site: Site, key: str) -> Source:
    """Lay out upload, webcam and examples."""
    with gr.Tabs():
        with gr.Tab("File"):
            file = gr.File(label="Image: PNG, JPEG, BMP or TIFF", height=150, elem_id=f"{key}-file")
        with gr.Tab("Webcam"):
            # A file, so that it is read under the same limits; not mirrored, or left would be right.
            camera = gr.Image(
                label="Webcam",
                sources=["webcam"],
                type="filepath",
                image_mode=None,
                webcam_options=gr.WebcamOptions(mirror=False),
                height=240,
                elem_id=f"{key}-camera",
                buttons=[],
            )
    gr.HTML("<p class='hint'>Or an example:</p>", padding=False)
    gallery = gr.Gallery(
        [str(path) for path in site.examples],
        label="Examples",
        show_label=False,
        container=False,
        columns=3,
        height="auto",
        allow_preview=False,
        elem_classes="examples",
        interactive=False,
        object_fit="cover",
        buttons=[],
        elem_id=f"{key}-examples",
    )
    return Source(file, camera, gallery)


def controls(key: str) -> Controls:
    """Lay out threshold, opacity and style."""
    look = Look()
    style = gr.Radio(
        list(STYLES), value=look.style, show_label=False, container=False, elem_id=f"{key}-style"
    )
    threshold = gr.Slider(
        0.01,
        0.99,
        THRESHOLD,
        step=0.01,
        label="Threshold",
        info="Marks what is more probable",
        elem_id=f"{key}-threshold",
    )
    opacity = gr.Slider(0, 1, look.opacity, step=0.05, label="Opacity", elem_id=f"{key}-opacity")
    return Controls(threshold, opacity, style)


def picture(label: str, key: str, *, small: bool = False, named: bool = True) -> gr.Image:
    """Lay out an image that only shows something; `named` if its label is not said beside it already."""
    return gr.Image(
        label=label,
        show_label=named,
        interactive=False,
        format="png",
        buttons=["fullscreen"],
        elem_id=key,
        elem_classes=["shown", "small"] if small else ["shown"],
    )


def chooser(site: Site, label: str, key: str, *, index: int = 0) -> gr.Dropdown:
    """Lay out the choice of a network, hidden where there is none to make."""
    names = [model.name for model in site.models]
    return gr.Dropdown(names, value=names[index], label=label, visible=len(names) > 1, elem_id=key)


def on_image(
    site: Site,
    source: Source,
    show: Callable[..., list[Any]],
    asked: Sequence[Any],
    outputs: Sequence[Any],
    *,
    key: str,
) -> None:
    """Call `show(given, *values, called=None)` for every file, webcam picture and example that is chosen.

    Args:
        site: Whose examples they are.
        source: Where images come from.
        show: Gives what `outputs` show.
        asked: The components that give the values.
        outputs: What is shown.
        key: The picture to bring into view.
    """

    def from_file(path: str | None, *values: Any) -> list[Any]:
        return show(path, *values)

    def from_camera(path: str | None, *values: Any) -> list[Any]:
        return show(path, *values, called="webcam")

    def from_example(event: gr.SelectData, *values: Any) -> list[Any]:
        return show(site.examples[event.index], *values)

    for done in (
        source.file.change(from_file, [source.file, *asked], outputs, **SHORT),
        source.camera.input(from_camera, [source.camera, *asked], outputs, **SHORT),
        source.gallery.select(from_example, asked, outputs, **SHORT),
    ):
        _see(done, key)


def _see(done: gr.events.Dependency, key: str) -> None:
    """Bring a picture into view when it is there: on a phone it lies far below what was clicked."""
    script = f"document.querySelector('#{key} img')?.scrollIntoView({{behavior: 'smooth', block: 'nearest'}})"
    done.then(None, js=f"() => setTimeout(() => {script}, 300)", **PRIVATE)


def tell(error: SegDistillError) -> str:
    """Say what went wrong in a corner of the window, and give it as HTML for the place of the result."""
    gr.Warning(escape(str(error)), duration=8)
    return words.problem(str(error))
