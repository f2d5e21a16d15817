"""Prediction by PyTorch: a trained network behind the same call as an exported one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdistill.core import SegDistillError
from segdistill.export.base import Prediction, cannot_segment
from segdistill.export.finite import check_finite
from segdistill.images.pixels import rgb
from segdistill.taps import Tapped
from segdistill.tasks import Task, check_channels


class TorchPredictor:
    """Segment single images with a network; the network is moved to the device and kept in evaluation mode.

    Args:
        tapped: The network with its preprocessing.
        task: What its logits mean.
        device: Where to run, such as `"cpu"` or `"cuda"`.
        channels_last: Lay out memory as `(H, W, C)`, which is faster for convolutions on most hardware.

    Examples:
        >>> from segdistill.tasks import Binary
        >>> predictor = TorchPredictor(Tapped(torch.nn.Conv2d(3, 1, 3, padding=1)), Binary())
        >>> predictor(np.zeros((20, 30, 3), np.uint8)).mask.shape
        (20, 30)
    """

    def __init__(
        self, tapped: Tapped, task: Task, *, device: str | torch.device = "cpu", channels_last: bool = False
    ) -> None:
        self.task = task
        self.device = torch.device(device)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.tapped = tapped.to(self.device).to(memory_format=self.memory_format)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names by index in the mask."""
        return self.task.classes

    @torch.inference_mode()
    def __call__(self, image: NDArray[Any]) -> Prediction:
        """Segment one image.

        Args:
            image: `(H, W, 3)` uint8 RGB, or what `rgb` accepts: grey, RGBA, 16 bits.

        Returns:
            Mask and probability at the size of the image.

        Raises:
            SegDistillError: If the array is not an image, the network fails on it, or gives other channels than the
                task has, or numbers that are not finite.
        """
        self.tapped.eval()
        logits = self._logits(self._tensor(image))
        check_channels(logits, self.task, role="network")
        check_finite(logits, lacks="mask")
        mask = self.task.decode(logits)[0].to(torch.uint8)
        probability = self.task.probabilities(logits)[0]
        single = self.task.channels == 1 and mask.ndim == 2
        return Prediction(_array(mask), _array(probability[0] if single else probability))

    def _logits(self, image: Tensor) -> Tensor:
        try:
            logits: Tensor = self.tapped(image).logits
        except SegDistillError:
            raise
        except Exception as error:  # of code that may be anybody's
            raise cannot_segment("The network", image.shape[2:], error, says="PyTorch") from error
        return logits.float()

    def _tensor(self, image: NDArray[Any]) -> Tensor:
        # Division happens on the device: a quarter of the bytes travel.
        x = torch.from_numpy(rgb(image)).permute(2, 0, 1)[None].to(self.device)
        return (x / 255).contiguous(memory_format=self.memory_format)


def _array(values: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(values.cpu().numpy())
