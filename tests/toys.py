"""Small builders the tests share: networks of a few thousand weights, and bright discs to segment."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from torchvision import tv_tensors


class TinyNet(nn.Module):
    """Two convolutions down, one back up: logits at image size. Layers: `stem`, `body`, `head`."""

    def __init__(self, channels: int = 1, *, width: int = 8, norm: bool = False):
        super().__init__()
        self.stem = _block(3, width, norm=norm)
        self.body = _block(width, 2 * width, norm=norm)
        self.head = nn.Conv2d(2 * width, channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        logits = self.head(self.body(self.stem(image)))
        return nn.functional.interpolate(logits, image.shape[2:], mode="bilinear", align_corners=False)


def _block(inputs: int, outputs: int, *, norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=not norm)]
    if norm:
        layers.append(nn.BatchNorm2d(outputs))
    return nn.Sequential(*layers, nn.ReLU())


def tiny_net(channels: int = 1, *, width: int = 8, norm: bool = False, seed: int = 0) -> TinyNet:
    """A network whose weights depend on `seed` alone; the caller's random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TinyNet(channels, width=width, norm=norm)


class Discs(Dataset):
    """Bright discs on noise, one per image, in the samples' format of `segdistill.data`.

    Every fourth image is empty (no disc), as polyp-free frames are. Ids are `disc_00`, `disc_01`, ...;
    groups pair two neighbours, as two frames of one sequence.
    """

    def __init__(self, length: int = 8, *, size: tuple[int, int] = (32, 32), seed: int = 0):
        self.ids = [f"disc_{index:02d}" for index in range(length)]
        self.groups = [f"sequence_{index // 2}" for index in range(length)]
        self.classes = ("disc",)
        self.samples = [_disc(index, size=size, seed=seed) for index in range(length)]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, object]:
        image, mask = self.samples[index]
        return {
            "image": tv_tensors.Image(image.clone()),
            "mask": tv_tensors.Mask(mask.clone()),
            "id": self.ids[index],
        }


def _disc(index: int, *, size: tuple[int, int], seed: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(1000 * seed + index)
    height, width = size
    image = torch.randint(20, 80, (3, height, width), generator=rng, dtype=torch.uint8)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    y, x = (torch.rand(2, generator=rng) * 0.5 + 0.25) * torch.tensor([height, width])
    radius = min(size) * (0.15 + 0.1 * torch.rand((), generator=rng))
    mask = ((rows - y) ** 2 + (columns - x) ** 2 <= radius**2).to(torch.uint8)
    if index % 4 == 3:
        mask.zero_()
    return image + 150 * mask, mask


def batch(*, size: tuple[int, ...] = (16, 16), channels: int = 3, count: int = 2, seed: int = 0) -> Tensor:
    """Random images `(count, channels, *size)` in [0, 1]."""
    return torch.rand(count, channels, *size, generator=torch.Generator().manual_seed(seed))
