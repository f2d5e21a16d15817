"""How our set-up differs from those of the two projects, line by line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.tables import markdown

Record = Mapping[str, Any]

HEAD = ("", "here", "KDAS3", "MobileNetV2 project")


def table(record: Record) -> str:
    """Every difference."""
    return markdown(HEAD, [*networks(record), *training(record["setup"]), *judging(record)])


def networks(record: Record) -> list[tuple[str, str, str, str]]:
    """Networks and what they start from."""
    taught = record["teacher"]
    net = describe(taught["net"]) if taught else "the teacher of polyp-lite"
    own = f"{net}, trained by us" + (f", {taught['parameters'] / 1e6:.1f} M" if taught else "")
    begins = {name: about.partition("from ")[2] for name, about in record["students"].items()}
    weights = "; ".join(f"{name}: {begin}" for name, begin in begins.items() if begin)
    return [
        (
            "teacher",
            f"{own}; the same for every student",
            "Polyp-PVT on PVTv2-b2, 25.1 M, downloaded",
            "U-Net++ on ResNet-50, 49.0 M",
        ),
        (
            "student",
            "pvt-b0 is KDAS3's; unet-lite0 is the other's on another encoder; the third is ours",
            "Polyp-PVT on PVTv2-b0, 3.7 M",
            "U-Net on MobileNetV2, 6.6 M",
        ),
        (
            "weights at the start",
            weights,
            "PVTv2-b0, ImageNet",
            "MobileNetV2, ImageNet",
        ),
    ]


def describe(net: Mapping[str, Any]) -> str:
    """A network's class and encoder."""
    name, options = next(iter(net.items()))
    return f"{name} on {options.get('encoder_name', options.get('backbone', 'its own'))}"


def training(setup: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """What happens between start and end."""
    size, scales = setup["size"], setup["scales"]
    encoder = setup["lr_factors"].get("encoder", 1)
    sides = f"{round(scales[0] * size)} to {round(scales[-1] * size)} px" if scales else f"{size} px"
    return [
        (
            "schedule",
            f"{setup['epochs']} epochs of batch {setup['batch_size']}, rate {setup['lr']:g} {setup['schedule']} "
            f"({encoder:g} of it in the encoder), {sides}, weights averaged (EMA {setup['ema']}); the same for every "
            "student and method, tuned for the recipe's own alone",
            "99 epochs of batch 16, three steps per batch, rate 1e-4 constant, 256 to 448 px",
            "50 epochs of batch 8, rate 1e-4 constant, 320 px",
        ),
        (
            "loss of the labels",
            f"{setup['loss']} of the logits",
            "structure loss of each of two heads",
            "cross-entropy and Dice, Dice pooled over the batch",
        ),
        (
            "KDAS",
            "attention with a gradient on both sides and guiding, on one map of logits",
            "released code: guiding of the first head alone has a gradient",
            "",
        ),
        (
            "distillation loss",
            "as each method weighs it, see [the commands](#the-commands)",
            "0.7 labels, 0.3 teacher",
            "0.6 labels, 0.4 teacher",
        ),
        ("augmentation", "the library's standard", "none, as its script starts it", "flips, rotation, gamma"),
    ]


def judging(record: Record) -> list[tuple[str, str, str, str]]:
    """What is chosen and scored, and on what."""
    setup = record["setup"]
    held_out = f"{100 * setup['val_fraction']:g} % of the training images are held out"
    epoch = "the last" if setup["monitor"] == "last" else f"the best {setup['monitor']} on them"
    there = ", ".join(record["sets"]["there"])
    return [
        (
            "which epoch",
            f"{epoch}; {held_out}, test images choose nothing",
            "the best on the 798 test images",
            "the best on the test set CVC-ClinicDB",
        ),
        (
            "resolution",
            f"{setup['size']} px in, scored at each image's own",
            "352 px in; at which size its published numbers were scored is not known",
            "320 px in, scored at 320 px",
        ),
        (
            "protocol",
            "`pranet-py` (maps not stretched) and `dice@0.5`",
            "its teacher's: the MATLAB evaluator, which stretches every map; its student's are listed without one",
            "Dice at 0.5",
        ),
        ("test sets", there, "all five", "all five"),
        ("trainings", "one per seed, mean ± deviation", "not said", "one"),
    ]
