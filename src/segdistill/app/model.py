"""One network that the app offers; every user of the page shares it."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from segdistill.app.finding import Found
from segdistill.core import SegDistillError, first_line
from segdistill.export import Predictor
from segdistill.viz import Image

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """A predictor with what the page says about it.

    Attributes:
        name: What the user chooses it by.
        predictor: From an image to a prediction; never asked by two threads at once.
        about: A few words, such as its size in parameters and pixels.
    """

    name: str
    predictor: Predictor
    about: str = ""
    _busy: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def __call__(self, image: Image, *, name: str = "image") -> Found:
        """Segment an image; `seconds` is the network's time alone, without waiting for others.

        Args:
            image: uint8 RGB `(H, W, 3)`.
            name: What the user calls it.

        Raises:
            SegDistillError: In place of anything that the network raises, such as for want of memory.
        """
        with self._busy:
            start = time.perf_counter()
            try:
                prediction = self.predictor(image)
            except Exception as error:
                _log.exception("%s failed on %s", self.name, name)
                height, width = image.shape[:2]
                raise SegDistillError(
                    f"The network {self.name!r} failed on {name!r}, {width} x {height} pixels: "
                    f"{first_line(error)[:200]}. Try another image."
                ) from error
            seconds = time.perf_counter() - start
        return Found(image, prediction, self.predictor.classes, name=name, model=self.name, seconds=seconds)
