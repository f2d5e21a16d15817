"""Similarity of channels to what the teacher saw in earlier images."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from segdistill.core import Output
from segdistill.methods.base import PairMethod, Taps, key
from segdistill.methods.parts.adapters import match_size
from segdistill.methods.parts.bank import Bank, check_room
from segdistill.methods.parts.cells import mean_of_cells
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.limits import check_count, check_positive
from segdistill.methods.parts.positions import check_positions
from segdistill.methods.parts.projector import Projector
from segdistill.methods.parts.similarity import row_divergence
from segdistill.methods.traits import Traits
from segdistill.tasks import Task

#: Channels that enter the memory in one step; the authors'.
_CHANNELS_PER_STEP = 256


class CIRKDChannelMemory(PairMethod):
    r"""Match which remembered channels a channel resembles (the channel memory term of CIRKDv2).

    With $y$ a channel's map at unit length over its positions, the student's after a trained projection, and $v_j$ a
    channel's map that the teacher gave for an earlier image:

    $$\underset{n,c}{\mathrm{mean}} \; \mathrm{KL}\Big(\mathrm{softmax}_j \tfrac{\langle y^t_{nc}, v_j \rangle}{\tau}
    \,\Big\|\, \mathrm{softmax}_j \tfrac{\langle y^s_{nc}, v_j \rangle}{\tau}\Big)$$

    A published weight carries over (0.1). Every step of the training first remembers 256 channels of its batch, drawn
    evenly, then compares with `draws` of all that are remembered, fewer while the memory fills. The memory is a ring:
    new channels replace the oldest. In evaluation nothing is remembered, and where nothing has been yet the term is
    zero. The authors' code instead starts with 10000 random maps, which count until they are replaced, and overwrites
    the newest where the ring's end is reached. Under DDP the memory is the first process's.

    A remembered map has a fixed grid: that of the student's feature in the first batch, divided by `pool`. Maps of
    another size, as in multi-scale training, are brought to it before they are compared: by the mean over cells where
    they are larger, by interpolation where they are smaller. A memory takes `channels x positions` numbers: 20 MB for
    the authors' 10000 maps of 16 x 32 cells. Their cells are 4 x 4 positions of a feature of stride 8; a feature of
    stride 32 is as coarse without.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        temperature: $\tau$.
        channels: Channels remembered.
        draws: How many remembered channels a step compares with.
        pool: Side of the cells.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature or a number is not positive, or (in `build`) a tap has a single cell or the
            memory is larger than what is free.
    """

    paper = "Yang et al., Cross-Image Relational Knowledge Distillation for Semantic Segmentation, CVPR 2022, version 2"
    traits = Traits("relations", relational=True, zero=False, tiles=False, draws=True)
    adapts = True

    def __init__(
        self,
        taps: Taps = "high",
        temperature: float = 0.1,
        channels: int = 10_000,
        draws: int = 2048,
        pool: int = 1,
        weight: float = 0.1,
    ) -> None:
        super().__init__(taps, weight)
        check_positive("CIRKDChannelMemory", temperature=temperature)
        check_count("CIRKDChannelMemory", channels=channels, draws=draws, pool=pool)
        self.temperature, self.channels, self.draws, self.pool = temperature, channels, draws, pool
        self.grids: dict[str, tuple[int, ...]] = {}
        self.banks = nn.ModuleDict()

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        """Create projections and memories.

        Raises:
            SegDistillError: If a tap has a single cell, or the memories are larger than what is free.
        """
        super().build(student, teacher, task)
        for tap in self.pairs:
            cells = mean_of_cells(student[tap], self.pool)
            check_positions("CIRKDChannelMemory", tap, cells)
            self.grids[tap] = tuple(cells.shape[2:])
        device, positions = student.logits.device, {tap: prod(grid) for tap, grid in self.grids.items()}
        check_room(
            "CIRKDChannelMemory",
            self.channels * sum(positions.values()),
            device,
            contents=f"{self.channels} channels x {sum(positions.values())} positions",
            options="channels, or raise pool",
        )
        for tap, width in positions.items():
            self.banks[key(tap)] = Bank(1, self.channels, width, device=device)

    def adapter(self, student: Tensor, teacher: Tensor) -> nn.Module:
        return Projector(student.shape[1], teacher.shape[1], dimensions=student.ndim - 2)

    def aligned(self, tap: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        """Bring a pair to float32, the memory's grid and the teacher's channels."""
        have, want = (match_size(x.float(), self.grids[tap]) for x in (student, teacher.detach()))
        return self.adapters[key(tap)](have), want

    def compare_at(self, tap: str, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        """Remember some of the teacher's channels, then compare both networks' with what is remembered."""
        bank: Bank = self.banks[key(tap)]  # type: ignore[assignment]
        s, t = (unit(feature.flatten(2), dim=2).flatten(0, 1) for feature in (student, teacher))
        if self.training:
            some = t[torch.randperm(len(t), device=t.device)[:_CHANNELS_PER_STEP]]
            bank.add(some, torch.zeros(len(some), dtype=torch.int64, device=t.device))
        columns = bank.draw(self.draws)[None]
        return row_divergence(s, columns, t, columns, temperature=self.temperature)
