"""Distil from a cache on one or two processes: `python cached_processes.py CACHE OUT DEVICES`."""

import sys

import torch

from segdistill.data import Augment, Data
from segdistill.engine import Training, distill
from segdistill.engine.logs import Silence
from segdistill.methods import AT, KD
from segdistill.teachers import Cached
from toys import Discs, tiny_net

if __name__ == "__main__":
    torch.set_num_threads(1)
    cache, out, devices = sys.argv[1], sys.argv[2], int(sys.argv[3])
    distill(
        Cached(cache),
        tiny_net(seed=1),
        Data(train=Discs(16), val=Discs(4, seed=1), augment=Augment(32)),
        KD() + AT(taps="body"),
        out=out,
        training=Training(
            epochs=2, batch_size=4, precision="32", workers=1, devices=devices, accelerator="cpu"
        ),
        display=Silence(),
    )
