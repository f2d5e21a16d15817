"""What `load` can build, as rows for people. Imports no network library."""

from __future__ import annotations

from typing import NamedTuple

SMP = (
    "DPT", "DeepLabV3", "DeepLabV3Plus", "FPN", "Linknet", "MAnet",
    "PAN", "PSPNet", "Segformer", "UPerNet", "Unet", "UnetPlusPlus",
)  # fmt: skip

TORCHVISION = (
    "deeplabv3_mobilenet_v3_large", "deeplabv3_resnet101", "deeplabv3_resnet50",
    "fcn_resnet101", "fcn_resnet50", "lraspp_mobilenet_v3_large",
)  # fmt: skip

#: Networks of this package, with an example each.
OWN = {"PolypPVT": "{PolypPVT: {backbone: pvt_v2_b0}}"}


class Row(NamedTuple):
    """One line of the catalogue.

    Attributes:
        name: What to write as the spec.
        source: Library that builds it.
        example: A spec as it stands in a recipe, in YAML.
    """

    name: str
    source: str
    example: str


def catalogue() -> list[Row]:
    """List everything that `load` knows by name.

    Examples:
        >>> [row.name for row in catalogue() if "FPN" in row.name]
        ['smp.FPN']
    """
    smp = [Row(f"smp.{name}", "segmentation-models-pytorch", _smp_example(name)) for name in SMP]
    vision = [Row(f"torchvision.{name}", "torchvision", f"torchvision.{name}") for name in TORCHVISION]
    return [
        *(Row(name, "segdistill", example) for name, example in OWN.items()),
        *smp,
        Row("timm.<encoder>", "timm, with the decoder of smp.Unet", "timm.mobilenetv3_small_100"),
        *vision,
        Row("<package>.<Class>", "any class that can be imported", "{my_package.MyNet: {width: 32}}"),
    ]


def _smp_example(name: str) -> str:
    encoder = "tu-vit_tiny_patch16_224" if name == "DPT" else "tu-tf_efficientnet_lite0"
    return f"{{smp.{name}: {{encoder_name: {encoder}}}}}"
