"""Read named features out of any network, without touching its code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdistill.core import Output, SegDistillError, unknown

LOGITS = "logits"


class Tapped(nn.Module):
    """Wrap a network so that it takes images in [0, 1] and returns an `Output`.

    The network keeps its own input contract: `Tapped` normalises and resizes for it, so a teacher and a
    student may differ in both, and a saved student carries its preprocessing with it.

    Args:
        net: Any module from a normalised image to something that holds logits: a tensor, a tuple or list
            (first entry), a dict with `"out"`, or an object with `.logits`.
        taps: Names of sub-modules whose outputs to keep, dotted or aliases.
        mean: Mean of the network's training data, one number or one per channel, for images in [0, 1].
        std: Standard deviation, likewise.
        size: Spatial size that the network works at, one number for a square; `None` keeps the image's.
        prefix_tokens: How many leading tokens (class, registers) to drop from token features.
        to_logits: How to find the logits, where the rule above does not.
        aliases: Architecture-independent names for sub-modules, such as `{"e4": "encoder.layer3"}`.
        channels_last: Features are `(B, H, W, C)`, as in Swin; they become `(B, C, H, W)`.

    Raises:
        SegDistillError: If a tap does not exist.

    Examples:
        >>> net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 2, 1))
        >>> output = Tapped(net, taps=["0"])(torch.rand(1, 3, 16, 16))
        >>> output.logits.shape[1], output["0"].shape[1]
        (2, 8)
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        net: nn.Module,
        taps: Iterable[str] = (),
        *,
        mean: float | Sequence[float] = 0.0,
        std: float | Sequence[float] = 1.0,
        size: int | Sequence[int] | None = None,
        prefix_tokens: int = 0,
        to_logits: Callable[[Any], Tensor] | None = None,
        aliases: Mapping[str, str] | None = None,
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        means, deviations = (_several(value) for value in (mean, std))
        if any(value <= 0 for value in deviations):
            raise SegDistillError(f"std must be positive, got {deviations}.")
        # A network from torch.compile() would carry its wrapper's name into taps and saved weights.
        self.net: nn.Module = getattr(net, "_orig_mod", net)
        self.size = (size, size) if isinstance(size, int) else tuple(size) if size else None
        self.prefix_tokens = prefix_tokens
        self.to_logits = to_logits or find_logits
        self.aliases = dict(aliases or {})
        self.channels_last = channels_last
        #: What `models.load` needs to build the same network again; `None` for a network of the user's own.
        self.spec: dict[str, Any] | None = None
        self.register_buffer("mean", torch.tensor(means, dtype=torch.float32), persistent=False)
        self.register_buffer("std", torch.tensor(deviations, dtype=torch.float32), persistent=False)
        self.taps: dict[str, str] = {}
        self.tap(taps)

    def tap(self, names: Iterable[str]) -> None:
        """Keep the outputs of more sub-modules.

        Raises:
            SegDistillError: If there is no sub-module and no alias of that name.
        """
        modules = dict(self.net.named_modules())
        for name in names:
            if name == LOGITS:
                continue
            path = self.aliases.get(name, name)
            if not path or path not in modules:
                raise unknown("tap", name, {*filter(None, modules), *self.aliases, LOGITS})
            self.taps[name] = path

    def forward(self, image: Tensor) -> Output:
        """Run the network.

        Args:
            image: `(B, C, *spatial)` in [0, 1].

        Returns:
            Logits at the size of the image, and the tapped features at their own sizes: what each module gave, even
            where a later layer works on it in place.
        """
        x = self.preprocess(image)
        seen: dict[str, Tensor] = {}
        # Hooks live for one forward only: nothing is left in a copy, an EMA, a checkpoint or a graph.
        handles = [
            self.net.get_submodule(path).register_forward_hook(partial(_keep, seen, path))
            for path in set(self.taps.values())
        ]
        try:
            logits = self.to_logits(self.net(x))
        finally:
            for handle in handles:
                handle.remove()
        features = {name: self._feature(name, seen, x.shape[2:]) for name in self.taps}
        return Output(resize(logits, image.shape[2:]), features)

    def each(self, images: Sequence[Tensor]) -> list[Tensor]:
        """Logits `(1, C, *spatial)` of images `(C, *spatial)` of different sizes, each at its own.

        A network with a `size` sees them all in one forward pass.
        """
        return [resize(one, image.shape[1:]) for one, image in zip(self.own(images), images, strict=True)]

    def own(self, images: Sequence[Tensor]) -> list[Tensor]:
        """The same as the network gives them, where it has a `size`: not yet brought to the images' sizes."""
        if self.size is None:
            return [self(image[None]).logits for image in images]
        x = torch.cat([self.preprocess(image[None]) for image in images])
        return [one[None] for one in self.to_logits(self.net(x))]

    def preprocess(self, image: Tensor) -> Tensor:
        """Bring `(B, C, *spatial)` in [0, 1] to the size and statistics that the network expects.

        Raises:
            SegDistillError: If the image has other dimensions or channels than those are for.
        """
        if self.size and len(self.size) != image.ndim - 2:
            raise SegDistillError(
                f"The network's size {self.size} has {len(self.size)} numbers, but images have {image.ndim - 2} "
                f"spatial dimensions."
            )
        self._refuse_channels(image.shape[1])
        x = resize(image, self.size, antialias=True) if self.size else image
        shape = (1, -1) + (1,) * (image.ndim - 2)
        return (x - self.mean.view(shape)) / self.std.view(shape)

    def _refuse_channels(self, channels: int) -> None:
        """Grey images are spread over the values of a network for colour; any other number has to agree."""
        for name, values in (("mean", self.mean), ("std", self.std)):
            if channels != 1 and values.numel() not in (1, channels):
                raise SegDistillError(
                    f"{name} has {values.numel()} values, but the image {channels} channels; "
                    "give one value, or one per channel."
                )

    def _feature(self, name: str, seen: Mapping[str, Tensor], size: Sequence[int]) -> Tensor:
        path = self.taps[name]
        if path not in seen:
            raise SegDistillError(
                f"Tap {name!r} was not reached by the forward pass: {path!r} belongs to the network but is not called. "
                f"Tap a module that is."
            )
        return as_map(
            seen[path], size, prefix_tokens=self.prefix_tokens, channels_last=self.channels_last, name=name
        )


def _several(value: float | Sequence[float]) -> tuple[float, ...]:
    return (value,) if isinstance(value, (int, float)) else tuple(value)


def _keep(seen: dict[str, Tensor], path: str, module: nn.Module, _inputs: Any, output: Any) -> None:
    feature = _deepest(output)
    if not isinstance(feature, Tensor):
        inside = ", ".join(repr(f"{path}.{name}") for name, _ in module.named_children())
        way_out = f"one of its sub-modules: {inside}" if inside else "a module that gives one"
        raise SegDistillError(
            f"Tap {path!r} gives a {type(output).__name__}, not a feature map. Tap {way_out}."
        )
    # A copy, because a layer that works in place, such as ReLU(inplace=True), would overwrite what the tap gave.
    seen[path] = feature.clone()


def _deepest(value: Any) -> Any:
    """The last tensor of a tuple or list, which is the deepest of several maps; anything else as it is."""
    if isinstance(value, (tuple, list)):
        return next((v for v in reversed(value) if isinstance(v, Tensor)), value)
    return value


def find_logits(raw: Any) -> Tensor:
    """Find the logits in what torchvision, transformers, MONAI or smp networks return.

    Raises:
        SegDistillError: If there are none.
    """
    if isinstance(raw, Tensor):
        return raw
    if isinstance(raw, Mapping) and "out" in raw:
        return find_logits(raw["out"])
    if isinstance(getattr(raw, "logits", None), Tensor):
        return find_logits(raw.logits)
    if isinstance(raw, (tuple, list)) and raw:
        return find_logits(raw[0])
    raise SegDistillError(
        f"Found no logits in a {type(raw).__name__}. Pass to_logits= to say where they are."
    )


def as_map(
    value: Any,
    image_size: Sequence[int],
    *,
    prefix_tokens: int = 0,
    channels_last: bool = False,
    name: str = "tap",
) -> Tensor:
    """Bring a feature to `(B, C, *spatial)`: tokens `(B, N, C)` are laid out on the grid of the image.

    Args:
        value: A tensor, or a tuple or list whose last tensor is meant (the deepest of several maps).
        image_size: Size of the network's input.
        prefix_tokens: Leading tokens to drop.
        channels_last: A 4-D or 5-D feature has its channels last.
        name: For messages.

    Raises:
        SegDistillError: If the tokens do not fill a grid, or the value holds no feature.
    """
    value = _deepest(value)
    if not isinstance(value, Tensor) or value.ndim < 3:
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise SegDistillError(f"Tap {name!r} gives {shape}, not a feature map. Tap a module that gives one.")
    if value.ndim == 3:
        return _tokens_to_map(value[:, prefix_tokens:], image_size, name)
    return value.movedim(-1, 1) if channels_last else value


def _tokens_to_map(tokens: Tensor, image_size: Sequence[int], name: str) -> Tensor:
    count = tokens.shape[1]
    pixels = 1
    for n in image_size:
        pixels *= n
    stride = (pixels / max(count, 1)) ** (1 / len(image_size))
    grid = [max(1, round(n / stride)) for n in image_size]
    cells = 1
    for n in grid:
        cells *= n
    if cells != count:
        raise SegDistillError(
            f"Tap {name!r} gives {count} tokens, which do not fill a grid over {tuple(image_size)}. "
            f"Set prefix_tokens to the number of class and register tokens."
        )
    return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], *grid)


def resize(x: Tensor, size: Sequence[int], *, antialias: bool = False) -> Tensor:
    """Resize `(B, C, *spatial)` linearly in one to three dimensions; nothing happens at equal size.

    Args:
        x: Map to resize.
        size: Spatial size to reach.
        antialias: Average over the source pixels when shrinking (2-D only), as image libraries do.
    """
    if tuple(x.shape[2:]) == tuple(size):
        return x
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[len(size)]
    smooth = antialias and len(size) == 2
    return F.interpolate(x, size=tuple(size), mode=mode, align_corners=False, antialias=smooth)
