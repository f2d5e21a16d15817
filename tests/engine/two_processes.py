"""Distil on two processes, or the same global batch on one: `python two_processes.py OUT DEVICES`."""

import os
import sys

import torch

from segdistill.data import Augment, Data
from segdistill.engine import Training, distill
from segdistill.engine.logs import Silence
from segdistill.methods import KD, FitNet
from toys import Discs, tiny_net

if __name__ == "__main__":
    torch.set_num_threads(1)
    out, devices = sys.argv[1], int(sys.argv[2])
    run = distill(
        tiny_net(width=16),
        tiny_net(seed=1),
        Data(train=Discs(16), val=Discs(5, seed=1), tests={"discs": Discs(3, seed=2)}, augment=Augment(32)),
        KD() + FitNet(taps="body"),
        out=out,
        training=Training(
            epochs=2,
            batch_size=4,
            precision="32",
            workers=0,
            devices=devices,
            accelerator="cpu",
            clip_norm=1.0,
        ),
        display=Silence(),
    )
    print(os.environ.get("LOCAL_RANK", "0"), run.metrics["best"])
