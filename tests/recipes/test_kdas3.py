"""The KDAS3 recipes, run: two steps on tiny synthetic frames, random weights."""

import pytest

from segdistill import config
from segdistill.engine import Run, Training, distill
from segdistill.engine.logs import Silence
from segdistill.teachers import Teacher
from stops import StopAt, assert_same, state

SMALL = [
    "data={synthetic: {train: 4, val: 1, test: 1, size: [64, 64]}}",
    "teacher.weights=none",
    "teacher.net.PolypPVT.backbone=pvt_v2_b0",
    "teacher.size=[64, 64]",
    "student.weights=none",
    "student.size=[64, 64]",
    "training.scales=[0.5, 1]",
    "training.batch_size=2",
    "training.epochs=1",
    "training.workers=0",
    "training.precision=32",
]


def go(name, out, *, display=None, resume=False):
    full = config.complete(config.override(config.read(name), SMALL))
    task = config.build_task(full["task"])
    return distill(
        Teacher(config.build_network(full["teacher"], task=task, seed=1)),
        config.build_network(full["student"], task=task),
        config.build_data(full["data"]),
        config.build_method(full["method"]),
        out=out,
        task=task,
        loss=config.build_loss(full["loss"]),
        training=config.build_training(full["training"]),
        display=display or Silence(),
        resume=resume,
    )


def test_kdas3_steps_at_each_scale_and_logs_both_heads(tmp_path):
    run = go("kdas3", tmp_path / "run")
    assert run.log[0]["step"] == 4  # two batches at two scales
    assert {"task", "KDAS/head1", "KDAS/head2", "KDAS/guiding"} <= run.log[0].keys()


@pytest.mark.slow
def test_kdas3_resumes_to_the_same_bits(tmp_path):
    whole = go("kdas3", tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        go("kdas3", tmp_path / "parts", display=StopAt(0, 1))
    assert_same(state(whole), state(go("kdas3", tmp_path / "parts", resume=True)))


@pytest.mark.slow
def test_as_released_guides_the_first_head_and_trains_on_shares(tmp_path):
    run = go("kdas3-as-released", tmp_path / "run")
    assert [name for name in run.log[0] if "/" in name] == ["KDASPublished/head1"]
    assert Run(run.path).config["training"]["rescale"] == "as_released"


def test_the_two_recipes_differ_where_their_comments_say():
    ours, theirs = (config.read(name) for name in ("kdas3", "kdas3-as-released"))
    differing = {key for key in ours if ours[key] != theirs[key]}
    assert differing == {"name", "about", "data", "method", "loss", "training"}
    ours, theirs = (
        Training(**config.complete(each)["training"]).as_dict()
        for each in ({"training": ours["training"]}, {"training": theirs["training"]})
    )
    assert {key for key in ours if ours[key] != theirs[key]} == {"rescale", "precision"}
