"""Train in two processes, of which the second fails to read a sample: `python failing_process.py OUT`."""

import os
import sys

import torch

from segdistill.cli.output import complain
from segdistill.core import SegDistillError
from segdistill.data import Data
from segdistill.engine import Training, train
from segdistill.engine.logs import Silence
from toys import Discs, tiny_net


class Failing(Discs):
    """Is read without fault before the training, and in its first epochs."""

    reads = 0

    def __getitem__(self, index):
        self.reads += 1
        if self.reads > 40 and os.environ.get("LOCAL_RANK") == "1":
            raise SegDistillError("The image 'disc_03' is gone.")
        return super().__getitem__(index)


if __name__ == "__main__":
    torch.set_num_threads(1)
    training = Training(epochs=9, batch_size=4, precision="32", workers=0, devices=2, accelerator="cpu")
    try:
        data = Data(train=Failing(16), val=Discs(4, seed=1))
        train(tiny_net(width=8), data, out=sys.argv[1], training=training, display=Silence())
    except SegDistillError as error:
        complain(str(error))
        sys.exit(2)
