import pytest

from segdistill.core import SegDistillError
from segdistill.engine import Training


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"lr": 0}, "lr must be more than 0, got 0"),
        ({"clip_norm": -1}, "clip_norm must be more than 0, got -1"),
        ({"weight_decay": -1}, "weight_decay must be at least 0, got -1"),
        ({"lr_factors": {"encoder": -1}}, "lr_factors must be factors of more than 0"),
        ({"schedule": "poly", "power": 0}, "power must be more than 0, got 0"),
        ({"seed": 2**70}, "seed must be at least 0"),
        ({"ema": 1.0}, "ema must be between 0 and 1, got 1.0"),
        ({"warmup": 20}, "warmup must be at least 0 and less than epochs, got 20"),
        ({"scales": (1, -1)}, r"scales must be positive factors, got \(1, -1\)"),
        ({"optimizer": "adamW"}, "Unknown optimizer 'adamW'. Did you mean 'adamw'"),
        ({"schedule": "cosin"}, "Unknown schedule 'cosin'. Did you mean 'cosine'"),
        ({"precision": "fp16"}, "Unknown precision 'fp16'"),
        ({"monitor": "loss"}, "Unknown monitor 'loss'"),
        ({"clip_norm": 1, "clip_value": 1}, "clip_norm and clip_value are both set"),
        ({"batch_size": 5, "devices": 2}, "batch_size 5 does not divide into 2 devices"),
        ({"schedule": "step"}, "'step' needs step_epochs"),
        ({"epochs": 2.5}, "epochs must be a whole number, got 2.5"),
        ({"epochs": "3"}, "epochs must be a whole number, got '3'"),
        ({"batch_size": 4.0}, "batch_size must be a whole number, got 4.0"),
        ({"seed": 1.5}, "seed must be a whole number, got 1.5"),
        ({"seed": None}, "seed must be a whole number, got None"),
        ({"workers": 1.5}, "workers must be a whole number, got 1.5"),
        ({"lr": float("inf")}, "lr must be a number, got inf"),
        ({"scales": 1.0}, r"scales must be a list of factors, such as \(0.75, 1, 1.25\), got 1.0"),
        ({"scales": ("1",)}, r"scales must be a list of factors"),
        ({"lr_factors": None}, "lr_factors must be factors by name, such as .*, got None"),
    ],
)
def test_impossible_values_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        Training(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"momentum": 0.9}, "momentum is set, but optimizer 'adamw' does not read it.*take optimizer 'sgd'"),
        ({"power": 0.9}, "power is set, but schedule 'cosine' does not read it.*take schedule 'poly'"),
        ({"schedule": "one-cycle", "warmup": 1}, "'one-cycle' has a rise of its own"),
        ({"step_epochs": 5}, "step_epochs is set, but schedule 'cosine' does not read it"),
        ({"step_factor": 0.1}, "step_factor is set, but schedule 'cosine' does not read it"),
        ({"patience": 3, "monitor": "last"}, "patience is set, but monitor 'last' does not read it"),
    ],
)
def test_an_option_that_nobody_reads_is_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        Training(**options)


def test_all_values_are_plain_data():
    plain = Training(scales=(0.75, 1), lr_factors={"encoder": 0.1}).as_dict()
    assert plain["scales"] == [0.75, 1]
    assert plain["lr_factors"] == {"encoder": 0.1}
