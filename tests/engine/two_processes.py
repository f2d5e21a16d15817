"""Distil on two processes, or the same global batch on one: `python two_processes.py OUT DEVICES`."""

import os
import sys

import torch
from torch import nn

from segdistill.data import Augment, Data
from segdistill.engine import Training, distill
from segdistill.engine.logs import Silence
from segdistill.methods import KD, FitNet, Method
from toys import Discs, tiny_net


def check_alike(*tensors):
    """Stop unless every process has the same values."""
    if not torch.distributed.is_initialized():
        return
    for tensor in tensors:
        others = [torch.zeros_like(tensor) for _ in range(torch.distributed.get_world_size())]
        torch.distributed.all_gather(others, tensor.detach().contiguous())
        if not all(torch.equal(tensor, other) for other in others):
            raise AssertionError(f"the processes differ: {others}")


class Hooked(Method, listed=False):
    """A memory that every process fills with something else, a level learnt before, and a critic of one weight."""

    preparation = 2

    def build(self, student, teacher, task):
        super().build(student, teacher, task)
        self.critic = nn.Conv2d(1, 1, 1)
        self.register_buffer("memory", torch.zeros(4))
        self.register_buffer("level", torch.zeros(1))

    def prepare(self, batches):
        rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
        self.level += sum(teacher.logits.mean() for teacher, _ in batches) + rank

    def forward(self, student, teacher, mask):
        check_alike(self.memory, self.level, self.critic.weight)
        self.memory = torch.cat([self.memory[1:], student.logits.detach().mean()[None]])
        self.seen = student.logits.detach(), teacher.logits
        return {"Hooked": -self.critic(student.logits).mean()}

    def auxiliary_optimizer(self):
        return torch.optim.Adam(self.critic.parameters(), lr=0.01)

    def auxiliary_losses(self):
        mine, theirs = (self.critic(x).square().mean() for x in self.seen)
        return {"Hooked/critic": mine - theirs}


def train(out: str, devices: int) -> None:
    """Distil in this process, or in so many."""
    hooked = Hooked()
    run = distill(
        tiny_net(width=16),
        tiny_net(seed=1),
        Data(train=Discs(16), val=Discs(5, seed=1), tests={"discs": Discs(3, seed=2)}, augment=Augment(32)),
        KD() + FitNet(taps="body") + hooked,
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
    check_alike(hooked.critic.weight, hooked.critic.bias)
    print(os.environ.get("LOCAL_RANK", "0"), run.metrics["best"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(sys.argv[1], int(sys.argv[2]))
