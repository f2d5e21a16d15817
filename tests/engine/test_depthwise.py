import pytest
import torch
from torch import nn

from segdistill.engine.depthwise import Float32DepthwiseBackward


def gradients(net, image, *, special):
    net.zero_grad()
    image = image.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        if special:
            with Float32DepthwiseBackward():
                out = net(image)
        else:
            out = net(image)
    out.float().square().mean().backward()
    return out, [image.grad, *[p.grad.clone() for p in net.parameters()]]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"),
    [(3, 2, 1, 1), (5, 1, 2, 1), (5, 2, (2, 1), 1), (5, 1, 4, 2)],
)
def test_gradients_are_those_of_torch_to_bf16s_rounding(kernel, stride, padding, dilation, bias):
    net = nn.Conv2d(8, 8, kernel, stride=stride, padding=padding, dilation=dilation, groups=8, bias=bias)
    image = torch.randn(2, 8, 15, 17)
    (plain, expected), (out, found) = (gradients(net, image, special=s) for s in (False, True))
    assert torch.equal(out, plain)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=0.03, atol=0.03 * b.abs().max().item())


def test_gradients_are_nearer_to_float32_than_bf16s():
    net, image = nn.Conv2d(16, 16, 5, padding=2, groups=16), torch.randn(4, 16, 24, 24)
    net.zero_grad()
    net(image).square().mean().backward()
    exact = net.weight.grad.clone()
    errors = [
        (gradients(net, image, special=special)[1][1] - exact).abs().mean() for special in (False, True)
    ]
    assert errors[1] <= errors[0] * 1.05


@pytest.mark.parametrize(
    "net", [nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 8, 5, groups=2)]
)
def test_other_convolutions_are_left_alone(net, monkeypatch):
    from segdistill.engine import depthwise

    monkeypatch.setattr(depthwise, "_apply", lambda *_: pytest.fail("redirected"))
    gradients(net, torch.randn(1, 8, 9, 9), special=True)


def test_padding_by_name_is_left_to_torch():
    net = nn.Conv2d(8, 8, 5, padding="same", groups=8)
    out, _ = gradients(net, torch.randn(1, 8, 9, 9), special=True)
    assert out.shape == (1, 8, 9, 9)
