"""Distillation from a cache: the same as from the live teacher where that can be, and recorded where not."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from segdistill.core import SegDistillError
from segdistill.data import Augment, Data
from segdistill.engine import distill
from segdistill.methods import AT, KD, FitNet
from segdistill.taps import Tapped
from segdistill.tasks import Multiclass
from segdistill.teachers import Cached, Teacher, cache
from stops import StopAt
from toys import Discs, tiny_net

SCRIPT = Path(__file__).with_name("cached_processes.py")


def disc_data() -> Data:
    return Data(train=Discs(16), val=Discs(4, seed=1), augment=Augment(32))


def a_teacher(**options) -> Tapped:
    return Tapped(tiny_net(width=16, **options))


@pytest.fixture
def moving() -> Data:
    return disc_data()


def stored(data: Data, folder: Path, **options) -> Cached:
    return cache(a_teacher(), data, folder / "maps", taps=["body"], **options)


def test_with_nothing_to_move_it_is_the_live_distillation(data, short, quiet, tmp_path):
    """No augmentation: only the rounding to half precision remains."""
    method = [KD(), FitNet(taps="body")]
    runs = [
        distill(teacher, tiny_net(seed=1), data, method, out=tmp_path / name, training=short, display=quiet)
        for name, teacher in (("live", a_teacher()), ("cached", stored(data, tmp_path)))
    ]
    for ours, theirs in zip(*(run.log for run in runs), strict=True):
        assert ours["KD/logits"] == pytest.approx(theirs["KD/logits"], rel=1e-2)
        assert ours["FitNet/body"] == pytest.approx(theirs["FitNet/body"], rel=1e-2)


@pytest.mark.parametrize("views", [0, 2])
def test_the_run_says_what_reached_the_teacher(views, moving, short, quiet, tmp_path):
    cached = stored(moving, tmp_path, views=views)
    run = distill(cached, tiny_net(seed=1), moving, KD(), out=tmp_path / "a", training=short, display=quiet)
    said = run.env["teacher"]
    assert (said["cached"], said["views"], said["taps"]) == ("maps", views, ["logits"])
    assert said["weights"] == cached.header.teacher
    assert ("colour" in said["augmentation"]) == (views == 0)


def test_multi_scale_training_takes_the_stored_logits_along(moving, short, quiet, tmp_path):
    training = replace(short, scales=(1.0, 2.0))
    run = distill(
        stored(moving, tmp_path),
        tiny_net(seed=1),
        moving,
        KD() + AT(taps="body"),
        out=tmp_path / "a",
        training=training,
        display=quiet,
    )
    assert len(run.log) == 2


class Watched(Teacher):
    """A teacher that notes what it is shown."""

    def __call__(self, batch):
        self.seen = [*getattr(self, "seen", []), tuple(batch.image.shape[2:])]
        return super().__call__(batch)


def test_multi_scale_training_shows_the_teacher_the_images_as_they_came(moving, short, quiet, tmp_path):
    teacher, student = Watched(a_teacher()), tiny_net(seed=1)
    seen = []
    student.stem.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape[2:])))
    training = replace(short, scales=(1.0, 2.0))
    distill(teacher, student, moving, KD(), out=tmp_path / "a", training=training, display=quiet)
    assert (64, 64) in seen
    assert set(teacher.seen) == {(32, 32)}


def test_a_stopped_run_goes_on_to_the_same_weights(moving, short, quiet, tmp_path):
    cached, weights = stored(moving, tmp_path), []
    for name in ("whole", "stopped"):
        options = {"out": tmp_path / name, "training": short}
        if name == "stopped":
            stop_midway(cached, moving, options)
        distill(cached, tiny_net(seed=1), moving, KD(), display=quiet, resume=name == "stopped", **options)
        weights.append(load_file(tmp_path / name / "student.safetensors"))
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def stop_midway(cached, data, options):
    with pytest.raises(KeyboardInterrupt, match="Saved"):
        distill(cached, tiny_net(seed=1), data, KD(), display=StopAt(1, 2), **options)


def test_resuming_from_another_cache_is_refused(moving, short, quiet, tmp_path):
    options = {"out": tmp_path / "a", "training": short}
    stop_midway(stored(moving, tmp_path), moving, options)
    other = cache(a_teacher(seed=3), moving, tmp_path / "other")
    with pytest.raises(SegDistillError, match="begun with another teacher"):
        distill(other, tiny_net(seed=1), moving, KD(), resume=True, display=quiet, **options)


def test_a_run_goes_on_with_a_cache_that_stores_more(moving, short, quiet, tmp_path):
    options = {"out": tmp_path / "a", "training": short}
    stop_midway(cache(a_teacher(), moving, tmp_path / "logits"), moving, options)
    more = cache(a_teacher(), moving, tmp_path / "more", taps=["stem", "body"])
    assert distill(more, tiny_net(seed=1), moving, KD(), resume=True, display=quiet, **options).is_finished


class TestRefuses:
    def test_a_method_that_needs_what_is_not_stored(self, moving, short, quiet, tmp_path):
        with pytest.raises(SegDistillError, match="stores logits, body, not stem"):
            distill(
                stored(moving, tmp_path),
                tiny_net(seed=1),
                moving,
                AT(taps="stem"),
                out=tmp_path / "a",
                training=short,
                display=quiet,
            )
        assert not (tmp_path / "a").exists()

    def test_other_images(self, moving, short, quiet, tmp_path):
        other = Data(Discs(16, seed=7), Discs(4), augment=Augment(32))
        with pytest.raises(SegDistillError, match=r"was made before 'disc_00', .* changed"):
            distill(
                stored(moving, tmp_path),
                tiny_net(seed=1),
                other,
                KD(),
                out=tmp_path / "a",
                training=short,
                display=quiet,
            )

    def test_another_number_of_classes(self, moving, short, quiet, tmp_path):
        with pytest.raises(SegDistillError, match="The teacher gives 1 logit channels"):
            distill(
                stored(moving, tmp_path),
                tiny_net(3, seed=1),
                moving,
                KD(),
                out=tmp_path / "a",
                task=Multiclass(classes=("a", "b", "c")),
                training=short,
                display=quiet,
            )


@pytest.mark.slow
def test_two_processes_read_one_cache_as_one_does(tmp_path):
    stored(disc_data(), tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1]), "OMP_NUM_THREADS": "1"}
    for devices in (1, 2):
        command = [sys.executable, SCRIPT, tmp_path / "maps", tmp_path / str(devices), devices]
        done = subprocess.run(
            [*map(str, command)], env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
    one, two = (load_file(tmp_path / name / "student.safetensors") for name in "12")
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=1e-5)
