#!/usr/bin/env python3
"""The same scores by pysodmetrics, which pins numpy and therefore needs an environment of its own.

    python -m venv pysod && pysod/bin/pip install pysodmetrics
    pysod/bin/python benchmarks/metrics_pysod.py FOLDER [--rounds N]

Reads `FOLDER/pred/*.png` and `FOLDER/gt/*.png` and prints JSON: version, and per image the median CPU seconds and the
scores (means and maxima over its 256 thresholds). `benchmarks/metrics.py --pysod PYTHON` runs this; the values in
tests/golden/polyp_metrics/pysodmetrics.json come from it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import py_sod_metrics as sod


def score(predicted, truth):
    """Everything that it shares with the polyp benchmark, of one image."""
    curves = sod.FmeasureV2(
        {
            "Dic": sod.DICEHandler(with_dynamic=True, with_adaptive=False),
            "IoU": sod.IOUHandler(with_dynamic=True, with_adaptive=False),
            "Sen": sod.SensitivityHandler(with_dynamic=True, with_adaptive=False),
            "Spe": sod.SpecificityHandler(with_dynamic=True, with_adaptive=False),
        }
    )
    emeasure, structure, weighted, error = sod.Emeasure(), sod.Smeasure(), sod.WeightedFmeasure(), sod.MAE()
    for each in (curves, emeasure, structure, weighted, error):
        each.step(pred=predicted, gt=truth)
    found = {key: value["dynamic"] for key, value in curves.get_results().items()}
    found["Em"] = emeasure.get_results()["em"]["curve"]
    scores = {f"mean{key}": float(np.mean(curve)) for key, curve in found.items()}
    scores |= {f"max{key}": float(np.max(curve)) for key, curve in found.items()}
    scores |= {"Sm": float(structure.get_results()["sm"]), "wFm": float(weighted.get_results()["wfm"])}
    return scores | {"mae": float(error.get_results()["mae"])}


def measure(predicted, truth, rounds):
    """Median CPU seconds of one image."""
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        score(predicted, truth)
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def main() -> None:
    """Score and time every pair of a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    images = {}
    for path in sorted((options.folder / "pred").glob("*.png")):
        pair = [cv2.imread(str(options.folder / side / path.name), 0) for side in ("pred", "gt")]
        images[path.stem] = {"seconds": measure(*pair, options.rounds), "scores": score(*pair)}
    versions = {name: metadata.version(name) for name in ("pysodmetrics", "numpy", "scipy")}
    print(json.dumps({"versions": versions, "images": images}))


if __name__ == "__main__":
    main()
