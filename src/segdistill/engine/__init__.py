"""Training and distillation."""

from segdistill.engine.evaluation import evaluate, evaluate_by
from segdistill.engine.loop import distill, train
from segdistill.engine.run import Run
from segdistill.engine.trainable import Trainable
from segdistill.engine.training import Training

__all__ = ["Run", "Trainable", "Training", "distill", "evaluate", "evaluate_by", "train"]
