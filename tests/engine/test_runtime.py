import pytest
import torch

from segdistill.core import SegDistillError
from segdistill.engine import Training
from segdistill.engine.runtime import Runtime, resolve_precision, synchronized
from toys import tiny_net


@pytest.mark.parametrize(("has", "expected"), [(True, "bf16"), (False, "32")])
def test_auto_takes_bf16_where_the_cpu_computes_in_it(has, expected, monkeypatch):
    monkeypatch.setattr("segdistill.engine.runtime.cpu_has_bf16", lambda: has)
    assert resolve_precision("auto", "cpu") == expected


def test_a_named_precision_is_taken_as_it_is():
    assert resolve_precision("32", "cpu") == "32"


def test_float16_on_a_cpu_is_a_sentence():
    with pytest.raises(SegDistillError, match="precision '16' needs a GPU. Take 'bf16' or '32'"):
        resolve_precision("16", "cpu")


def test_synchronised_batch_norm_keeps_what_timm_fuses_with_it():
    import timm

    net = timm.create_model("mobilenetv3_small_050", num_classes=2).eval()
    image = torch.rand(2, 3, 32, 32)
    expected = net(image)
    converted = synchronized(net).eval()
    assert any(isinstance(m, torch.nn.SyncBatchNorm) for m in converted.modules())
    torch.testing.assert_close(converted(image), expected)
    assert synchronized(converted) is converted


def test_convolutions_are_channels_last_on_request():
    for wanted in (True, False):
        runtime = Runtime(Training(channels_last=wanted, accelerator="cpu", precision="32"))
        weight = runtime.place(tiny_net()).stem[0].weight
        assert weight.is_contiguous(memory_format=torch.channels_last) is wanted


def test_the_norm_before_clipping_is_what_clip_returns():
    for options in ({}, {"clip_norm": 0.01}, {"clip_value": 0.01}):
        runtime = Runtime(Training(accelerator="cpu", precision="32", **options))
        module, optimizer = runtime.setup(net := tiny_net(), torch.optim.SGD(net.parameters(), lr=1.0))
        runtime.backward(module(torch.rand(1, 3, 16, 16)).square().mean() * 100)
        expected = torch.cat([p.grad.flatten() for p in net.parameters()]).norm()
        torch.testing.assert_close(runtime.clip(module, optimizer), expected)


def test_a_mistake_in_one_process_is_raised_in_all(monkeypatch):
    runtime, told = Runtime(Training(accelerator="cpu", precision="32")), []
    monkeypatch.setattr(runtime, "any", lambda flag: True)
    monkeypatch.setattr(runtime, "gather", lambda mine: [told.append(mine), SegDistillError("'a' is gone.")])
    with pytest.raises(SegDistillError, match="'a' is gone"):
        next(runtime.each([1, 2]))
    with pytest.raises(SegDistillError, match="precision '16' needs a GPU"):
        runtime.together(lambda: resolve_precision("16", "cpu"))
    with pytest.raises(KeyError):
        runtime.first({}.popitem)
    assert [str(each) for each in told] == [
        "None",
        "precision '16' needs a GPU. Take 'bf16' or '32'.",
        "KeyError in another process: 'popitem(): dictionary is empty'",
    ]


def test_launching_says_nothing(capfd):
    Runtime(Training(accelerator="cpu", precision="bf16"))
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
