"""Exported networks that no exporter had to write, which takes it seconds."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import nn

from segdistill.export.facts import Facts
from segdistill.export.onnx.predictor import KEY
from segdistill.tasks import Binary, Task


def graph(net: nn.Conv2d, facts: str = "") -> ModelProto:
    """A 1x1 convolution from an image of any size to logits, with or without what it says about itself."""
    weights = {"weight": net.weight, "bias": net.bias}
    shapes = {"image": (1, 3, "height", "width"), "logits": (1, len(net.bias), "height", "width")}
    image, logits = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()
    )
    content = helper.make_graph(
        [helper.make_node("Conv", ["image", *weights], ["logits"])],
        "convolution",
        [image],
        [logits],
        [numpy_helper.from_array(value.detach().numpy(), name) for name, value in weights.items()],
    )
    model = helper.make_model(content, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    if facts:
        model.metadata_props.add(key=KEY, value=facts)
    return model


def write(path: Path, net: nn.Conv2d | None = None, task: Task | None = None) -> Path:
    """Write such a network as `segdistill export` would."""
    net, task = net or nn.Conv2d(3, 1, 1), task or Binary()
    facts = Facts("Conv2d", 6, (16, 16), type(task).__name__, task.classes)
    onnx.save(graph(net, facts.to_text()), path)
    return path
