"""Predictors without a network: what they say about an image follows from its pixels."""

from __future__ import annotations

import numpy as np

from segdistill.export import Prediction


class Bright:
    """Binary: a pixel's brightness is its probability."""

    classes = ("background", "polyp")

    def __call__(self, image):
        probability = image.mean(axis=2).astype(np.float32) / 255
        return Prediction((probability > 0.5).astype(np.uint8), probability)


class Thirds:
    """Multi-class: the left third is background, then kidney, then tumour."""

    classes = ("background", "kidney", "tumour")

    def __call__(self, image):
        height, width = image.shape[:2]
        probability = np.full((3, height, width), 0.1, np.float32)
        for label in range(3):
            probability[label, :, label * width // 3 : (label + 1) * width // 3] = 0.8
        return Prediction(probability.argmax(axis=0).astype(np.uint8), probability)


class Layers:
    """Multi-label: what is bright, and the left half; they overlap."""

    classes = ("bright", "left")

    def __call__(self, image):
        left = np.zeros(image.shape[:2], np.float32)
        left[:, : image.shape[1] // 2] = 0.9
        probability = np.stack([image.mean(axis=2).astype(np.float32) / 255, left])
        return Prediction((probability > 0.5).astype(np.uint8), probability)
