from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import toys
from segdistill.core import SegDistillError
from segdistill.export import TorchPredictor
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Multiclass, Multilabel


def image(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


def test_a_prediction_has_the_size_of_the_image_not_of_the_network():
    predictor = TorchPredictor(Tapped(toys.tiny_net(), size=(16, 16)), Binary())
    prediction = predictor(image(37, 53, 3))
    assert prediction.mask.shape == prediction.probability.shape == (37, 53)
    assert prediction.mask.dtype == np.uint8
    assert prediction.probability.dtype == np.float32


def test_a_binary_mask_is_where_the_probability_exceeds_one_half():
    prediction = TorchPredictor(Tapped(toys.tiny_net()), Binary())(image(16, 16, 3))
    np.testing.assert_array_equal(prediction.mask, prediction.probability > 0.5)


def test_a_multiclass_mask_is_the_likeliest_class():
    task = Multiclass(classes=("background", "cup", "disc"))
    prediction = TorchPredictor(Tapped(toys.tiny_net(3)), task)(image(16, 20, 3))
    np.testing.assert_array_equal(prediction.mask, prediction.probability.argmax(axis=0))
    np.testing.assert_allclose(prediction.probability.sum(axis=0), 1, rtol=1e-5)


def test_an_image_that_the_network_fails_on_is_a_sentence():
    with pytest.raises(
        SegDistillError,
        match="The network cannot segment an image of 20 x 16 pixels; many .* says: Given groups",
    ):
        TorchPredictor(Tapped(nn.Conv2d(1, 1, 1)), Binary())(image(16, 20, 3))


def test_a_network_of_other_classes_is_refused():
    with pytest.raises(
        SegDistillError, match="The network gives 3 logit channels, but Binary over .* needs 1"
    ):
        TorchPredictor(Tapped(toys.tiny_net(3)), Binary())(image(16, 20, 3))


@pytest.mark.parametrize("classes", [("liver",), ("liver", "tumour")])
def test_a_multilabel_mask_has_one_layer_per_class(classes):
    predictor = TorchPredictor(Tapped(toys.tiny_net(len(classes))), Multilabel(classes=classes))
    prediction = predictor(image(16, 20, 3))
    assert prediction.mask.shape == prediction.probability.shape == (len(classes), 16, 20)
    assert predictor.classes == classes


def test_the_network_sees_the_image_in_zero_to_one():
    class Seen(nn.Module):
        def forward(self, x):
            self.x = x
            return x[:, :1]

    net = Seen()
    TorchPredictor(Tapped(net), Binary())(np.full((4, 4, 3), 255, np.uint8))
    assert torch.equal(net.x, torch.ones(1, 3, 4, 4))


def test_prediction_is_in_evaluation_mode_even_after_training_resumed():
    tapped = Tapped(toys.tiny_net(norm=True))
    predictor = TorchPredictor(tapped, Binary())
    tapped.train()
    first, second = predictor(image(16, 16, 3)), predictor(image(16, 16, 3))
    np.testing.assert_array_equal(first.probability, second.probability)
    assert not tapped.training


def test_a_network_that_gives_nan_is_refused_instead_of_finding_nothing():
    net = toys.tiny_net()
    next(net.parameters()).data.fill_(torch.nan)
    with pytest.raises(SegDistillError, match="logits that are not finite, and NaN has no mask"):
        TorchPredictor(Tapped(net), Binary())(image(16, 16, 3))


def test_channels_last_gives_the_same_answer():
    tapped = Tapped(toys.tiny_net())
    plain = TorchPredictor(tapped, Binary())(image(16, 16, 3))
    fast = TorchPredictor(tapped, Binary(), channels_last=True)(image(16, 16, 3))
    np.testing.assert_allclose(plain.probability, fast.probability, atol=1e-6)


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    import segdistill.export as export

    with pytest.raises(AttributeError, match="no attribute 'OnnxPredictr'"):
        _ = export.OnnxPredictr
