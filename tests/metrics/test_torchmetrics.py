"""An oracle that others wrote, where its definitions are ours."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segdistill.metrics import Calibration
from segdistill.metrics.miou import MIOU
from segdistill.tasks import Binary, Multiclass

CLASSES = 6
TASK = Multiclass(tuple("abcdef"))


@pytest.fixture(scope="module", autouse=True)
def oracle():
    """Not when the tests are collected: it takes a second to import, and one process alone needs it."""
    pytest.importorskip("torchmetrics")


@pytest.fixture(scope="module")
def images():
    """Predicted and true labels of two images; the last class is in neither mask."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, CLASSES - 1, (2, 60, 80))
    found = np.where(rng.random(true.shape) < 0.6, true, rng.integers(0, CLASSES - 1, true.shape))
    true[:, :5] = 255
    return found, true


@pytest.fixture(scope="module")
def probabilities():
    torch.manual_seed(0)
    return (2 * torch.randn(2, CLASSES, 40, 50)).softmax(dim=1), torch.randint(0, CLASSES, (2, 40, 50))


def ours(images):
    metric = MIOU.metric(TASK)
    metric.update(*images, ["a", "b"])
    return metric.compute()


def test_mean_and_per_class_iou_agree_but_for_the_class_that_is_absent(images):
    from torchmetrics.functional.classification import multiclass_jaccard_index

    found, true = map(torch.from_numpy, images)
    theirs = multiclass_jaccard_index(found, true, CLASSES, average="none", ignore_index=255)
    here = ours(images)
    assert [row["iou"] for row in here["classes"].values()] == pytest.approx(theirs[:-1].tolist())
    assert here["miou"] == pytest.approx(theirs[:-1].mean().item())
    assert here["absent_classes"] == 1


def test_accuracies_and_the_weighted_iou_agree(images):
    from torchmetrics.functional.classification import multiclass_accuracy, multiclass_jaccard_index

    found, true = map(torch.from_numpy, images)
    here = ours(images)
    overall = multiclass_accuracy(found, true, CLASSES, average="micro", ignore_index=255)
    each = multiclass_accuracy(found, true, CLASSES, average="none", ignore_index=255)
    weighted = multiclass_jaccard_index(found, true, CLASSES, average="weighted", ignore_index=255)
    assert here["pixel_accuracy"] == pytest.approx(overall.item())
    assert here["class_accuracy"] == pytest.approx(each[:-1].mean().item())
    assert here["fwiou"] == pytest.approx(weighted.item())


def test_the_calibration_error_of_the_chosen_class_agrees(probabilities):
    from torchmetrics.functional.classification import multiclass_calibration_error

    p, true = probabilities
    metric = Calibration(TASK)
    metric.update(list(p.numpy()), list(true.numpy()), ["a", "b"])
    found = metric.compute()
    for norm, key in (("l1", "ece_top_label"), ("max", "mce_top_label")):
        theirs = multiclass_calibration_error(p, true, CLASSES, n_bins=15, norm=norm)
        assert found[key] == pytest.approx(theirs.item(), abs=1e-6)


def test_the_calibration_error_of_a_foreground_agrees(probabilities):
    from torchmetrics.functional.classification import binary_calibration_error

    p, true = probabilities[0][:, :1], (probabilities[1] == 0).int()
    metric = Calibration(Binary())
    metric.update(list(p.numpy()), list(true.numpy()), ["a", "b"])
    theirs = binary_calibration_error(p[:, 0], true, n_bins=15, norm="l1")
    assert metric.compute()["ece"] == pytest.approx(theirs.item(), abs=1e-6)
