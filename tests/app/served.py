"""The app as a program of its own, on predictors without a network: `served.py PORT KIND ...`.

Every question to a predictor is one line in the file named by `CALLS`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import predictors
from segdistill.app import Model
from segdistill.app.serving import Address, serve


class Counted:
    def __init__(self, predictor):
        self.predictor, self.classes = predictor, predictor.classes

    def __call__(self, image):
        with open(os.environ["CALLS"], "a") as file:
            file.write(f"{image.shape}\n")
        return self.predictor(image)


if __name__ == "__main__":
    port, *kinds = sys.argv[1:]
    models = [Model(kind.lower(), Counted(getattr(predictors, kind)()), f"{kind} <tests>") for kind in kinds]
    serve(models, Address(port=int(port)))
