"""Stop a training on the way, and compare what is left of it with another's."""

import os
import signal

import torch

from segdistill.engine.logs import Silence


class StopAt(Silence):
    """Asks the process to stop at a batch, as Ctrl-C would."""

    def __init__(self, epoch, batch, number=signal.SIGINT):
        self.when, self.number = (epoch, batch), number

    def step(self, epoch, done, total, terms):
        if (epoch, done) == self.when:
            os.kill(os.getpid(), self.number)


def state(run):
    return torch.load(run.path / "last.ckpt", weights_only=True)


def assert_same(a, b, path=""):
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), path
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), path
        for key in a:
            if key != "seconds":
                assert_same(a[key], b[key], f"{path}/{key}")
    elif isinstance(a, (list, tuple)):
        for index, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{path}/{index}")
    else:
        assert a == b, path
