"""The page without a server: what gradio was told, and what it does. A program: gradio leaves event loops open."""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gradio import route_utils
from gradio.routes import App
from starlette.testclient import TestClient

from predictors import Bright, Thirds
from segdistill.app import Limits, Model
from segdistill.app.scratch import Scratch
from segdistill.app.shelf import Shelf
from segdistill.app.web.page import page
from segdistill.app.web.parts import Site


class Later(route_utils.datetime):
    """A clock that can be put forward."""

    minutes = 0

    @classmethod
    def now(cls, zone=None):
        return super().now(zone) + timedelta(minutes=cls.minutes)


def kept_after(minutes, path, blocks):
    Later.minutes = minutes
    route_utils.delete_files_created_by_app(blocks, blocks.delete_cache[1])
    return os.path.exists(path)


if __name__ == "__main__":
    scratch = Scratch()
    os.environ["GRADIO_TEMP_DIR"] = str(scratch.uploads)
    models = [Model("bright", Bright()), Model("thirds", Thirds())]
    blocks = page(Site(models, [], Limits(), scratch, Shelf(10)))
    blocks.max_file_size = None  # which only `launch` sets
    with TestClient(App.create_app(blocks)) as client:
        [path] = client.post("/gradio_api/upload", files={"files": ("a.png", b"x")}).json()
        route_utils.datetime = Later
        facts = {
            "events": sorted({(e.concurrency_id, e.concurrency_limit) for e in blocks.fns.values() if e.fn}),
            "waiting": blocks._queue.max_size,
            "looks every": blocks.delete_cache[0],
            "below scratch": Path(path).is_relative_to(scratch.uploads),
            "kept": [kept_after(minutes, path, blocks) for minutes in (59, 61)],
        }
    scratch.close()
    print(json.dumps(facts))
