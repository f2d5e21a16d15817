"""The web app: a network in the browser. What computes knows no gradio; `web` lays out the page."""

from segdistill.app.batch import Job, run
from segdistill.app.drawing import Look, draw
from segdistill.app.finding import Area, Found
from segdistill.app.intake import Limits, read_upload
from segdistill.app.model import Model

__all__ = ["Area", "Found", "Job", "Limits", "Look", "Model", "draw", "read_upload", "run"]
