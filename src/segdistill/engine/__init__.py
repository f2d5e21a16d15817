"""Training and distillation."""

from segdistill.engine.evaluation import evaluate, evaluate_by
from segdistill.engine.loop import distill, train
from segdistill.engine.run import Run
from segdistill.engine.speed import Speed, speed
from segdistill.engine.trainable import Trainable
from segdistill.engine.trained import Trained, open_trained
from segdistill.engine.training import Training

__all__ = [
    "Run",
    "Speed",
    "Trainable",
    "Trained",
    "Training",
    "distill",
    "evaluate",
    "evaluate_by",
    "open_trained",
    "speed",
    "train",
]
