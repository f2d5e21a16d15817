"""Depthwise convolutions in bf16 on the CPU, without their slow backward pass.

oneDNN's bf16 backward of a strided or 5x5 depthwise convolution is far slower than its float32 one, enough to make a
student on an EfficientNet train 1.4 to 1.5 times slower (`benchmarks/step_cost.py`). Here the forward pass stays in
bf16 and the gradient is computed in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class Float32DepthwiseBackward(TorchFunctionMode):
    """While active, depthwise `conv2d` under CPU autocast to bf16 gets a float32 backward pass."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Redirect depthwise convolutions, pass everything else on."""
        if func is torch.conv2d and not kwargs and _is_slow(args):
            return _apply(*args)
        return func(*args, **(kwargs or {}))


def _is_slow(args: Sequence[Any]) -> bool:
    # Positional, as nn.Conv2d and timm call it: input, weight, bias, stride, padding, dilation, groups.
    if len(args) != 7 or args[6] == 1 or args[6] != args[0].shape[1] or isinstance(args[4], str):
        return False
    return max(_pair(args[3])) > 1 or max(args[1].shape[2:]) > 3  # 3x3 with stride 1 is fast in bf16


def _apply(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    with torch.autocast("cpu", enabled=False):
        low = None if bias is None else bias.bfloat16()
        return _Depthwise.apply(
            x.bfloat16(), weight.bfloat16(), low, _pair(stride), _pair(padding), _pair(dilation), groups
        )


def _pair(value: int | Sequence[int]) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = (stride, padding, dilation)
        ctx.groups, ctx.bias_shape = groups, None if bias is None else list(bias.shape)
        return torch.conv2d(x, weight, bias, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        wanted = [*ctx.needs_input_grad[:2], ctx.bias_shape is not None and ctx.needs_input_grad[2]]
        found = torch.ops.aten.convolution_backward(
            grads[0].float(),
            x.float(),
            weight.float(),
            ctx.bias_shape,
            *ctx.geometry,
            False,
            [0, 0],
            ctx.groups,
            wanted,
        )
        low = [None if g is None else g.bfloat16() for g in found]
        return (*low, None, None, None, None)
