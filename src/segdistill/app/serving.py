"""Start the web server, and leave nothing behind when it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from segdistill.app import examples as samples
from segdistill.app.intake import Limits
from segdistill.app.model import Model
from segdistill.app.scratch import Scratch
from segdistill.app.shelf import Shelf
from segdistill.core import SegDistillError

_OFF = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}


def check_gradio() -> None:
    """Refuse at once where the page cannot be shown.

    Raises:
        SegDistillError: If gradio is not installed.
    """
    if find_spec("gradio") is None:
        raise SegDistillError("The app needs gradio, which is not installed: pip install 'segdistill[app]'.")


@dataclass(frozen=True)
class Address:
    """Where the page is.

    Attributes:
        host: Address to listen on; `0.0.0.0` for everybody who can reach this machine.
        port: To listen on.
        share: Ask gradio's servers for a public link.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    share: bool = False


def serve(
    models: Sequence[Model],
    address: Address,
    *,
    examples: Path | None = None,
    drawn: tuple[int, int] = samples.SIZE,
    limits: Limits | None = None,
    say: Callable[[str], object] = print,
) -> None:
    """Serve the page until Ctrl-C or SIGTERM.

    Args:
        models: What it offers; the first is chosen, the first two are compared.
        address: Where.
        examples: A folder of images to offer; synthetic ones without it.
        drawn: Height and width of the synthetic ones.
        limits: Of what a user may send.
        say: Told where the page is.

    Raises:
        SegDistillError: If gradio is missing, the folder holds no image, or host or port cannot be used.
    """
    check_gradio()
    os.environ.update(_OFF)
    classes = max(len(model.predictor.classes) for model in models)
    limits = (limits or Limits()).for_classes(classes)
    scratch = Scratch()
    try:
        os.environ["GRADIO_TEMP_DIR"] = str(scratch.uploads)
        scratch.sweep_always()
        folder = scratch.root / "examples"
        shown = samples.find(examples, limits) if examples else samples.draw(folder, size=drawn)
        _run(models, shown, limits, scratch, address, say)
    finally:
        scratch.close()


def _run(
    models: Sequence[Model],
    examples: Sequence[Path],
    limits: Limits,
    scratch: Scratch,
    address: Address,
    say: Callable[[str], object],
) -> None:
    from starlette.middleware import Middleware

    from segdistill.app.web.headers import Headers
    from segdistill.app.web.page import page
    from segdistill.app.web.parts import Site
    from segdistill.app.web.style import CSS, theme

    blocks = page(Site(models, examples, limits, scratch, Shelf(limits.kept_megabytes)))
    try:
        _, local, public = blocks.launch(
            server_name=address.host,
            server_port=address.port,
            share=address.share,
            prevent_thread_lock=True,
            quiet=True,
            show_error=False,
            ssr_mode=False,
            pwa=False,
            footer_links=[],
            max_file_size=limits.unpacked_megabytes * 10**6,
            allowed_paths=[str(scratch.root / "results")],
            app_kwargs={"middleware": [Middleware(Headers)]},
            theme=theme(),
            head=f"<style>{CSS}</style>",  # gradio would prefix every selector of `css`
        )
    except OSError as error:
        raise SegDistillError(
            f"Cannot listen on {address.host}:{address.port}: another program does, or the address is not this "
            f"machine's; choose another --port or --host."
        ) from error
    say(f"Open {public or local} (Ctrl-C ends it)")
    signal.signal(signal.SIGTERM, _end)
    blocks.block_thread()


def _end(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt  # what gradio ends cleanly on
