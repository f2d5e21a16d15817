from __future__ import annotations

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.metrics import Overlap, by_size


def rows(*scores):
    return [{"id": str(i), "dice": dice, "share": share} for i, (dice, share) in enumerate(scores)]


def test_images_are_averaged_by_how_much_there_is_to_find():
    found = by_size(rows((0.2, 0.001), (0.4, 0.019), (0.7, 0.02), (0.9, 0.1), (1.0, 0.5), (0.0, 0.0)))
    means = {name: (bucket["images"], bucket["mean"]) for name, bucket in found["buckets"].items()}
    assert means == {
        "empty": (1, 0.0),
        "small": (2, pytest.approx(0.3)),
        "medium": (1, 0.7),
        "large": (2, pytest.approx(0.95)),
    }


def test_every_image_is_in_one_bucket_and_the_limits_are_named():
    shares = np.random.default_rng(0).random(200) ** 3
    found = by_size(rows(*((0.5, share) for share in shares)), limits=(0.1, 0.4))
    assert sum(bucket["images"] for bucket in found["buckets"].values()) == 200
    assert found["limits"] == [0.1, 0.4]
    assert found["buckets"]["medium"]["low"] == 0.1


def test_a_bucket_without_images_has_no_mean():
    assert by_size([])["buckets"]["large"]["mean"] is None


def test_the_overlap_of_a_network_can_be_sorted_by_size():
    target = np.zeros((10, 10), int)
    target[0, :5] = 1
    metric = Overlap()
    metric.update([target, target], [target, np.zeros_like(target)], ["a", "b"])
    buckets = by_size(metric.rows)["buckets"]
    assert (buckets["medium"]["images"], buckets["medium"]["mean"]) == (1, 1)
    assert (buckets["empty"]["images"], buckets["empty"]["mean"]) == (1, 0)


@pytest.mark.parametrize("limits", [(0.5, 0.1), (0.0, 0.1), (0.1, 2)])
def test_limits_must_rise(limits):
    with pytest.raises(SegDistillError, match="two rising shares of the image"):
        by_size([], limits=limits)


def test_rows_without_a_share_are_refused():
    with pytest.raises(
        SegDistillError, match="Rows need 'dice' and 'share' to be sorted by size, got id, dice"
    ):
        by_size([{"id": "a", "dice": 1.0}])
