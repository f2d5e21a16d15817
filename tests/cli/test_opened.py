"""What predicts opens as what it is, and an exported network without torch."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from PIL import Image

import graphs
from segdistill.cli.opened import open_predictor
from segdistill.export import OnnxPredictor


def test_an_exported_network_opens_as_what_it_is(tmp_path):
    opened = open_predictor(graphs.write(tmp_path / "STUDENT.ONNX"), device="auto")
    assert isinstance(opened.predictor, OnnxPredictor)
    assert opened.facts.classes == opened.predictor.classes == ("background", "foreground")
    assert (opened.place, opened.note) == ("cpu by ONNX Runtime", "")


def test_an_exported_network_predicts_and_is_shown_without_torch(tmp_path):
    first, *others = (Image.new("RGB", (40, 32), (value, 60, 60)) for value in (20, 220))
    first.save(tmp_path / "picture.png")
    first.save(tmp_path / "clip.gif", save_all=True, append_images=others)
    code = """
        import sys
        from pathlib import Path
        sys.modules["torch"] = None
        from segdistill.cli import app, models_of_app
        models_of_app.load([Path("student.onnx")], "auto")
        app(["predict", "student.onnx", "picture.png", "clip.gif", "--out", "out", "--overlay"])
    """
    graphs.write(tmp_path / "student.onnx")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made >= {
        "picture.png",
        "picture_overlay.png",
        "clip.json",
        "clip_overlay.mp4",
        "clip_stability.png",
    }
