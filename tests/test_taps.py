import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from segdistill.core import SegDistillError
from segdistill.taps import Tapped, as_map, find_logits, resize
from toys import TinyNet, batch, tiny_net


class Tokens(nn.Module):
    """A transformer in miniature: patches and one class token."""

    def __init__(self):
        super().__init__()
        self.embed, self.block, self.head = nn.Conv2d(3, 6, 4, 4), nn.Linear(6, 6), nn.Conv2d(3, 2, 1)

    def forward(self, image):
        tokens = self.embed(image).flatten(2).transpose(1, 2)
        self.block(torch.cat([tokens.mean(1, keepdim=True), tokens], dim=1))
        return self.head(image)


def test_features_come_by_name_at_their_own_size(tiny_net):
    output = Tapped(tiny_net, taps=["stem", "body.0"])(batch(size=(16, 24)))
    assert output.logits.shape == (2, 1, 16, 24)
    assert {name: tuple(f.shape) for name, f in output.features.items()} == {
        "stem": (2, 8, 8, 12),
        "body.0": (2, 16, 4, 6),
    }


def test_an_alias_is_as_good_as_a_name(tiny_net):
    tapped = Tapped(tiny_net, taps=["high", "body"], aliases={"high": "body"})
    output = tapped(batch())
    assert torch.equal(output["high"], output["body"])


def test_a_wrong_tap_names_the_right_one(tiny_net):
    with pytest.raises(SegDistillError, match=r"Unknown tap 'boddy'. Did you mean 'body'"):
        Tapped(tiny_net, taps=["boddy"])


class Overwriting(nn.Module):
    """What it taps is overwritten by a sum and a ReLU in place, as in a residual block."""

    def __init__(self):
        super().__init__()
        self.norm, self.relu, self.head = nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Conv2d(3, 1, 1)

    def forward(self, image):
        x = self.norm(image)
        x += 10
        return self.head(self.relu(x))


def test_a_feature_is_what_its_module_gave_though_later_layers_work_in_place():
    tapped, image = Tapped(Overwriting(), taps=["norm"]), batch()
    expected = nn.BatchNorm2d(3)(image)
    feature = tapped(image)["norm"]
    torch.testing.assert_close(feature, expected)
    feature.sum().backward()
    assert tapped.net.norm.bias.grad.tolist() == [2 * 16 * 16] * 3


def test_a_module_that_gives_a_dict_names_its_sub_modules():
    class Both(nn.Sequential):
        def forward(self, image):
            return {"out": super().forward(image)}

    net = nn.Sequential(Both(nn.Conv2d(3, 2, 1), nn.ReLU()))
    with pytest.raises(
        SegDistillError, match=r"Tap '0' gives a dict, not a .* sub-modules: '0\.0', '0\.1'\."
    ):
        Tapped(net, taps=["0"])(batch())


def test_a_module_that_is_never_called_is_not_a_tap():
    net = tiny_net()
    net.spare = nn.Conv2d(1, 1, 1)
    with pytest.raises(SegDistillError, match="'spare' was not reached"):
        Tapped(net, taps=["spare"])(batch())


def test_each_network_sees_its_own_size_and_statistics():
    seen = {}
    net = nn.Conv2d(3, 1, 1)
    net.register_forward_pre_hook(lambda _, inputs: seen.update(x=inputs[0]))
    image = torch.full((1, 3, 10, 12), 0.75)
    output = Tapped(net, mean=(0.5, 0.5, 0.5), std=(0.25, 0.5, 1.0), size=(4, 6))(image)
    assert seen["x"].shape == (1, 3, 4, 6)
    torch.testing.assert_close(seen["x"][0, :, 0, 0], torch.tensor([1.0, 0.5, 0.25]))
    assert output.logits.shape == (1, 1, 10, 12)


def test_images_of_different_sizes_go_through_in_one_pass():
    tapped = Tapped(tiny_net(), size=(16, 16)).eval()
    images = [batch(size=(20, 12), count=1)[0], batch(size=(9, 31), count=1)[0]]
    for together, image in zip(tapped.each(images), images, strict=True):
        torch.testing.assert_close(together, tapped(image[None]).logits)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda z: z,
        lambda z: (z, z * 0),
        lambda z: [z],
        lambda z: {"out": z, "aux": z * 0},
        lambda z: SimpleNamespace(logits=z),
    ],
    ids=["tensor", "tuple", "list", "dict", "object"],
)
def test_logits_are_found_in_what_networks_return(wrap):
    logits = torch.rand(1, 2, 4, 4)
    assert find_logits(wrap(logits)) is logits


def test_no_logits_is_an_error_that_names_the_way_out():
    with pytest.raises(SegDistillError, match="no logits in a str. Pass to_logits="):
        find_logits("segmented")


def test_tokens_become_a_map_without_the_class_token():
    output = Tapped(Tokens(), taps=["block"], prefix_tokens=1)(batch(size=(16, 24)))
    assert output["block"].shape == (2, 6, 4, 6)


def test_a_token_lies_where_its_patch_was():
    tokens = torch.arange(24.0).view(1, 24, 1)
    assert torch.equal(as_map(tokens, (16, 24))[0, 0], torch.arange(24.0).view(4, 6))


def test_a_forgotten_class_token_is_an_error():
    with pytest.raises(SegDistillError, match="25 tokens.*Set prefix_tokens"):
        as_map(torch.zeros(1, 25, 6), (16, 24), name="block")


def test_channels_last_features_are_turned():
    assert as_map(torch.zeros(2, 5, 7, 3), (10, 14), channels_last=True).shape == (2, 3, 5, 7)


def test_a_vector_is_not_a_feature_map():
    with pytest.raises(SegDistillError, match=r"Tap 'fc' gives \(2, 10\), not a feature map"):
        as_map(torch.zeros(2, 10), (8, 8), name="fc")


def test_a_list_of_maps_gives_its_deepest():
    assert as_map([torch.zeros(1, 3, 8, 8), torch.zeros(1, 6, 4, 4)], (16, 16)).shape == (1, 6, 4, 4)


def test_three_dimensions_work_too():
    net = nn.Sequential(nn.Conv3d(1, 4, 3, padding=1, stride=2), nn.Conv3d(4, 2, 1))
    output = Tapped(net, taps=["0"])(torch.rand(1, 1, 8, 6, 4))
    assert output.logits.shape == (1, 2, 8, 6, 4)
    assert output["0"].shape == (1, 4, 4, 3, 2)


def test_nothing_is_left_in_the_network_after_a_step(tiny_net):
    tapped = Tapped(tiny_net, taps=["body"])
    tapped(batch())
    assert not any(module._forward_hooks for module in tapped.modules())


def test_a_copy_taps_its_own_network(tiny_net):
    tapped = Tapped(tiny_net, taps=["body"])
    twin = copy.deepcopy(tapped)
    nn.init.zeros_(twin.net.body[0].weight)
    nn.init.zeros_(twin.net.body[0].bias)
    assert twin(batch())["body"].abs().sum() == 0
    assert tapped(batch())["body"].abs().sum() > 0


# dynamo itself looks at `.grad` of a tensor that has none
compiles = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")


@compiles
def test_taps_survive_compilation(tiny_net):
    tapped = Tapped(tiny_net, taps=["body"])
    expected = tapped(batch())
    compiled = torch.compile(tapped, backend="eager")(batch())
    torch.testing.assert_close(compiled.logits, expected.logits)
    torch.testing.assert_close(compiled["body"], expected["body"])


@compiles
def test_taps_survive_a_network_compiled_in_place(tiny_net):
    tapped = Tapped(tiny_net, taps=["body"])
    expected = tapped(batch())["body"]
    tapped.net.compile(backend="eager")
    torch.testing.assert_close(tapped(batch())["body"], expected)


def test_a_negative_spread_is_refused():
    with pytest.raises(SegDistillError, match="std must be positive"):
        Tapped(TinyNet(), std=(0.0,))


def test_resizing_to_the_same_size_is_free():
    x = batch()
    assert resize(x, (16, 16)) is x


@compiles
def test_a_compiled_network_keeps_its_own_names(tiny_net):
    tapped = Tapped(torch.compile(tiny_net, backend="eager"), taps=["body"])
    assert not any("_orig_mod" in name for name in tapped.state_dict())
    assert tapped(batch())["body"].shape == (2, 16, 4, 4)


def test_one_number_stands_for_all_channels_and_a_square(tiny_net):
    a, b = (
        Tapped(tiny_net, mean=0.5, std=0.25, size=16),
        Tapped(tiny_net, mean=(0.5,), std=(0.25,), size=(16, 16)),
    )
    image = batch(size=(20, 12))
    assert torch.equal(a(image).logits, b(image).logits)


def test_a_size_of_another_rank_than_the_image_is_a_sentence(tiny_net):
    with pytest.raises(
        SegDistillError, match=r"size \(16,\) has 1 numbers, but images have 2 spatial dimensions"
    ):
        Tapped(tiny_net, size=(16,))(batch())


def test_statistics_for_other_channels_than_the_images_are_a_sentence(tiny_net):
    with pytest.raises(
        SegDistillError, match="mean has 4 values, but the image 3 channels; give one value, or"
    ):
        Tapped(tiny_net, mean=(0.5,) * 4)(batch())
    with pytest.raises(SegDistillError, match="std has 2 values, but the image 3"):
        Tapped(tiny_net, std=(1.0, 2.0))(batch())


def test_a_grey_image_is_spread_over_the_statistics_of_colours(tiny_net):
    tapped = Tapped(tiny_net, mean=(0.1, 0.2, 0.3))
    grey = batch()[:, :1]
    assert torch.equal(tapped(grey).logits, tapped(grey.expand(-1, 3, -1, -1)).logits)
