"""Training and distillation."""

from segdistill.engine.evaluation import evaluate
from segdistill.engine.loop import distill, train
from segdistill.engine.run import Run
from segdistill.engine.trainable import Trainable
from segdistill.engine.training import Training

__all__ = ["Run", "Trainable", "Training", "distill", "evaluate", "train"]
