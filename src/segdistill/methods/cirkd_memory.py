"""Similarity of pixels to what the teacher saw in earlier images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segdistill.core import Output
from segdistill.methods.base import PairMethod, Taps, key
from segdistill.methods.parts.bank import Bank, check_room
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.limits import check_count, check_positive
from segdistill.methods.parts.projector import Projector
from segdistill.methods.parts.regions import labelled_share, region_count, regions
from segdistill.methods.parts.similarity import row_divergence
from segdistill.methods.traits import Traits
from segdistill.tasks import Task

#: Pixels of one class that enter the memory from one image; the authors'.
_PIXELS_PER_IMAGE = 16


class CIRKDMemory(PairMethod):
    r"""Match which remembered pixels and regions a pixel resembles (cross-image relations, memory terms).

    With $x$ a labelled pixel's feature at unit length, the student's after a trained projection, and $v_j$ a vector
    that the teacher gave for an earlier image, drawn evenly from all classes:

    $$\underset{i}{\mathrm{mean}} \; \mathrm{KL}\Big(\mathrm{softmax}_j \tfrac{\langle x^t_i, v_j \rangle}{\tau}
    \,\Big\|\, \mathrm{softmax}_j \tfrac{\langle x^s_i, v_j \rangle}{\tau}\Big)$$

    once over a memory of pixels and once over one of regions (the mean of a class in an image), added. A published
    weight carries over (0.1 for each, 0.01 on VOC). Every step first remembers, per image and class, the region and up
    to 16 pixels, drawn in proportion to the share of their cell that the class covers; ignored pixels neither enter nor
    count. The memory of every class is a ring: new vectors replace the oldest. The authors' code instead stores the
    first pixels of the image, whatever their class, overwrites the newest where the ring's end is reached, and draws
    the same slots for every class. Under DDP the memory is the first process's.

    A memory takes `classes x (pixels + regions) x channels` numbers. The authors' 20000 pixels and 2000 regions come to
    0.9 GB on Cityscapes with 512 channels; the default is a tenth of theirs.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        temperature: $\tau$.
        pixels: Pixels remembered per class.
        regions: Regions remembered per class.
        pixel_draws: About how many remembered pixels a step compares with, over all classes.
        region_draws: About how many remembered regions.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature or a number is not positive.
    """

    paper = "Yang et al., Cross-Image Relational Knowledge Distillation for Semantic Segmentation, CVPR 2022"
    traits = Traits("relations", labels=True, relational=True, zero=False, tiles=False, draws=True)
    adapts = True

    def __init__(
        self,
        taps: Taps = "high",
        temperature: float = 0.1,
        pixels: int = 2000,
        regions: int = 200,
        pixel_draws: int = 4096,
        region_draws: int = 1024,
        weight: float = 0.1,
    ) -> None:
        super().__init__(taps, weight)
        check_positive("CIRKDMemory", temperature=temperature)
        check_count(
            "CIRKDMemory",
            pixels=pixels,
            regions=regions,
            pixel_draws=pixel_draws,
            region_draws=region_draws,
        )
        self.temperature, self.slots = temperature, {"pixels": pixels, "regions": regions}
        self.draws = {"pixels": pixel_draws, "regions": region_draws}
        self.banks = nn.ModuleDict()

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        """Create projections and memories.

        Raises:
            SegDistillError: If the memories are larger than what is free.
        """
        super().build(student, teacher, task)
        classes, wants = region_count(task), [teacher[theirs] for theirs in self.pairs.values()]
        device, width = wants[0].device, sum(want.shape[1] for want in wants)
        check_room(
            "CIRKDMemory",
            classes * sum(self.slots.values()) * width,
            device,
            contents=f"{classes} classes x ({self.slots['pixels']} pixels + {self.slots['regions']} regions) "
            f"x {width} channels",
            options="pixels or regions",
        )
        for tap, want in zip(self.pairs, wants, strict=True):
            self.banks[key(tap)] = nn.ModuleDict(
                {
                    kind: Bank(classes, slots, want.shape[1], device=device)
                    for kind, slots in self.slots.items()
                }
            )

    def adapter(self, student: Tensor, teacher: Tensor) -> nn.Module:
        return Projector(student.shape[1], teacher.shape[1], dimensions=student.ndim - 2)

    def compare_at(self, tap: str, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        """Remember the teacher's features, then compare both networks' with what is remembered.

        Nothing is remembered in evaluation. Where nothing has been yet, or no pixel is labelled, the result is zero.
        """
        banks: nn.ModuleDict = self.banks[key(tap)]  # type: ignore[assignment]
        if self.training:
            self.remember(banks, unit(teacher), regions(self.task, mask, teacher.shape[2:]))
        drawn = [
            bank.draw(self.draws[kind] // len(bank.seen) + 1)  # type: ignore[operator,arg-type]
            for kind, bank in banks.items()
        ]
        losses = [self.compare_with(vectors, student, teacher, mask) for vectors in drawn]
        return torch.stack(losses).sum()

    def compare_with(self, vectors: Tensor, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        """Divergence over labelled pixels.

        Args:
            vectors: `(n, C)` of unit length, what pixels are compared with.
            student: `(B, C, *spatial)`, projected.
            teacher: Of the same shape.
            mask: Labels at image size.
        """
        s, t = (unit(feature).flatten(2).transpose(1, 2).flatten(0, 1) for feature in (student, teacher))
        labelled = labelled_share(self.task, mask, student.shape[2:]).flatten()
        columns = vectors[None]
        return row_divergence(s, columns, t, columns, temperature=self.temperature, shares=labelled)

    @torch.no_grad()
    def remember(self, banks: nn.ModuleDict, feature: Tensor, shares: Tensor) -> None:
        """Add an image's pixels and regions to their memories.

        Args:
            banks: Of one tap.
            feature: The teacher's, at unit length, `(B, C, *spatial)`.
            shares: Of every cell, per class, `(B, classes, *spatial)`.
        """
        pixels, share = feature.flatten(2).transpose(1, 2), shares.flatten(2)
        banks["regions"].add(*_regions(pixels, share))  # type: ignore[operator]
        banks["pixels"].add(*_pixels(pixels, share))  # type: ignore[operator]


def _regions(pixels: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Mean direction of every class in every image that shows it, and the classes."""
    image, kind = share.sum(dim=2).nonzero(as_tuple=True)
    return unit((share @ pixels)[image, kind], dim=1), kind


def _pixels(pixels: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Some pixels of every class of every image, and the classes; the more of a cell a class has, the likelier."""
    # The largest of log(share) + Gumbel noise are a draw in proportion to the shares, without replacement.
    noise = -torch.empty_like(share).exponential_().log()
    keys, place = (share.log() + noise).topk(min(_PIXELS_PER_IMAGE, share.shape[2]), dim=2)
    image, kind, nth = keys.isfinite().nonzero(as_tuple=True)
    return pixels[image, place[image, kind, nth]], kind
