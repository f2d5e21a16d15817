"""How a field scores, frozen under a name: a number without its protocol cannot be compared."""

from __future__ import annotations

from dataclasses import dataclass

from segdistill.core import SegDistillError, unknown

EMPTY = ("one", "zero", "skip")


@dataclass(frozen=True)
class Protocol:
    """What has to be the same before two numbers may stand in one table.

    Args:
        name: Name in reports.
        version: Changes with every change of a result.
        threshold: Probability above which a pixel is foreground.
        empty: What an image counts that has nothing to find. `"one"`: 1 if nothing was predicted either, else
            0. `"zero"`: 0. `"skip"`: the image is left out, whatever was predicted.
        resize: At which size masks are compared.
        reference: Who scores like this.

    Raises:
        SegDistillError: If the rule for empty masks or the threshold does not exist.
    """

    name: str
    version: int
    threshold: float
    empty: str
    resize: str
    reference: str

    def __post_init__(self) -> None:
        """Refuse values that no metric knows."""
        if self.empty not in EMPTY:
            raise unknown("rule for empty masks", self.empty, EMPTY)
        if not 0 < self.threshold < 1:
            raise SegDistillError(f"A threshold lies between 0 and 1, got {self.threshold}.")


DICE_AT_HALF = Protocol(
    name="dice@0.5",
    version=1,
    threshold=0.5,
    empty="one",
    resize="logits, bilinearly, to the image's own size; the true mask is never resized",
    reference="mean over images of Dice (Dice 1945) and IoU (Jaccard 1912) of the mask at probability 0.5",
)

PROTOCOLS = {protocol.name: protocol for protocol in (DICE_AT_HALF,)}


def find_protocol(name: str) -> Protocol:
    """Look a protocol up by name.

    Raises:
        SegDistillError: If there is none; names the nearest.

    Examples:
        >>> find_protocol("dice@0.5").empty
        'one'
    """
    if name not in PROTOCOLS:
        raise unknown("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]
