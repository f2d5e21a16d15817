"""What a training does, step by step."""

import copy
import csv
import errno

import pytest
import torch

from segdistill.core import SegDistillError
from segdistill.data import Augment, Data
from segdistill.engine import Run, Training, distill, train
from segdistill.methods import AT, KD, FitNet
from toys import Discs, tiny_net


def weights(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def same(a, b, **tolerance):
    for name in a:
        torch.testing.assert_close(a[name], b[name], **(tolerance or {"rtol": 0, "atol": 0}))


def schedule(**options):
    return Training(**{"epochs": 2, "batch_size": 4, "precision": "32", "workers": 0, **options})


@pytest.fixture
def go(data, quiet, tmp_path):
    def run(name="run", *, net=None, data=data, **options):
        net = net or tiny_net()
        train(net, data, out=tmp_path / name, training=schedule(**options), display=quiet)
        return weights(net)

    return run


def test_it_learns(data, quiet, tmp_path):
    training = schedule(epochs=12, lr=1e-2)
    run = train(tiny_net(width=16), data, out=tmp_path / "run", training=training, display=quiet)
    losses = [row["loss"] for row in run.log]
    assert losses[-1] < losses[0] / 2
    assert run.metrics["best"]["dice"] > 0.5


def test_the_same_seed_gives_the_same_weights(go):
    same(go("a", seed=3), go("b", seed=3))


def test_another_seed_gives_others(go):
    a, b = go("a", seed=3), go("b", seed=4)
    assert any(not torch.equal(a[name], b[name]) for name in a)


def test_the_number_of_workers_does_not_matter(go):
    augmented = Data(train=Discs(16), val=Discs(4), augment=Augment(32))
    same(go("a", data=augmented, workers=0), go("b", data=augmented, workers=2))


def test_accumulated_gradients_are_those_of_the_large_batch(go):
    same(go("a", batch_size=8), go("b", batch_size=4, accumulate=2), rtol=1e-4, atol=1e-6)


def test_the_callers_random_state_stays_as_it_was(go):
    before = torch.random.get_rng_state()
    go()
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd", "lr": 1e-2, "momentum": 0.8},
        {"optimizer": "adam"},
        {"schedule": "one-cycle"},
        {"schedule": "poly", "power": 0.5},
        {"schedule": "step", "step_epochs": 1},
        {"schedule": "constant", "warmup": 0.5},
        {"clip_norm": 0.1},
        {"clip_value": 0.01},
        {"scales": (1, 2)},
        {"lr_factors": {"stem": 0.1}},
        {"precision": "bf16"},
        {"channels_last": False},
        {"ema": 0.9},
    ],
    ids=lambda options: "-".join(options),
)
def test_every_option_makes_a_difference(go, options):
    start, plain, other = weights(tiny_net()), go("plain"), go("other", **options)
    assert any(not torch.equal(start[name], other[name]) for name in start)
    if not options.keys() & {"ema", "channels_last"}:  # these do not change the path that is taken
        assert any(not torch.equal(plain[name], other[name]) for name in start)


def test_clipping_by_norm_bounds_the_step(go):
    start = weights(tiny_net())
    after = go(
        optimizer="sgd", lr=1.0, momentum=0.0, weight_decay=0, clip_norm=1e-3, epochs=1, schedule="constant"
    )
    moved = sum((after[name] - start[name]).square().sum() for name in start).sqrt()
    assert moved <= 4 * 1e-3 * 1.001  # four steps


def test_clipping_by_value_bounds_every_entry(go):
    start = weights(tiny_net())
    after = go(
        optimizer="sgd", lr=1.0, momentum=0.0, weight_decay=0, clip_value=1e-4, epochs=1, schedule="constant"
    )
    assert max((after[name] - start[name]).abs().max() for name in start) <= 4 * 1e-4 * 1.001


def test_the_average_is_what_is_saved(data, quiet, tmp_path):
    net = tiny_net()
    run = train(net, data, out=tmp_path / "run", training=schedule(ema=0.9), display=quiet)
    saved = run.last.net.state_dict()
    assert any(not torch.equal(saved[name], value) for name, value in net.state_dict().items())


def test_multi_scale_leaves_the_students_size_as_it_was(data, quiet, tmp_path):
    from segdistill import Tapped

    student = Tapped(tiny_net(), size=(64, 64))
    train(student, data, out=tmp_path / "run", training=schedule(scales=(0.5, 1)), display=quiet)
    assert student.size == (64, 64)


def test_training_stops_when_nothing_gets_better(data, quiet, tmp_path):
    training = schedule(epochs=30, lr=1e-12, patience=2)
    run = train(tiny_net(), data, out=tmp_path / "run", training=training, display=quiet)
    assert len(run.log) == 3
    assert run.metrics["best"]["epoch"] == 1


def test_the_log_has_a_row_per_epoch_and_a_column_per_term(data, quiet, tmp_path):
    method = KD() + FitNet(taps="body")
    out = tmp_path / "run"
    distill(tiny_net(width=16), tiny_net(seed=1), data, method, out=out, training=schedule(), display=quiet)
    with (out / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    terms = ["task", "KD/logits", "FitNet/body"]
    assert list(rows[0]) == ["epoch", "step", "lr", "seconds", "loss", *terms, "val_dice", "val_iou"]
    assert [row["epoch"] for row in rows] == ["1", "2"]
    for row in rows:
        assert float(row["loss"]) == pytest.approx(sum(float(row[term]) for term in terms), rel=1e-5)


def test_a_run_folder_holds_everything(data, quiet, tmp_path):
    out = tmp_path / "run"
    train(tiny_net(), data, out=out, training=schedule(), display=quiet)
    expected = {"config.yaml", "env.json", "log.csv", "metrics.json", "model.json", "last.ckpt"}
    expected |= {"student.safetensors", "best.safetensors", "figures", "tb", "scores"}
    assert {path.name for path in out.iterdir()} == expected
    assert list((out / "tb").iterdir())
    assert (out / "scores" / "discs.csv").read_text().startswith("id,dice,iou\n")


def test_a_distilled_student_comes_nearer_to_its_teacher(data, quiet, tmp_path):
    teacher = tiny_net(width=16)
    train(teacher, data, out=tmp_path / "teacher", training=schedule(epochs=8, lr=1e-2), display=quiet)
    images = torch.stack([data.val[i]["image"].float() / 255 for i in range(8)])

    def distance(net):
        with torch.no_grad():
            return (net.eval()(images).sigmoid() - teacher.eval()(images).sigmoid()).square().mean()

    alone, taught = tiny_net(seed=1), tiny_net(seed=1)
    options = schedule(epochs=20, lr=1e-2)
    train(alone, data, out=tmp_path / "alone", training=options, display=quiet)
    distill(teacher, taught, data, KD(weight=10), out=tmp_path / "taught", training=options, display=quiet)
    assert distance(taught) < distance(alone)


def test_an_adapter_is_trained(data, quiet, tmp_path):
    method = FitNet(taps="body")
    before = {}

    class Watched(FitNet, listed=False):
        def build(self, student, teacher, task):
            super().build(student, teacher, task)
            before.update({name: p.clone() for name, p in self.named_parameters()})

    method = Watched(taps="body")
    distill(
        tiny_net(width=16),
        tiny_net(seed=1),
        data,
        method,
        out=tmp_path / "run",
        training=schedule(),
        display=quiet,
    )
    assert before
    assert all(not torch.equal(before[name], p) for name, p in method.named_parameters())


def test_a_baseline_and_a_student_see_the_same_images(data, quiet, tmp_path, monkeypatch):
    seen = {"a": [], "b": []}
    key = "a"

    class Watched(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = tiny_net()

        def forward(self, image):
            if self.training:
                seen[key].append(image.detach().clone())
            return self.inner(image)

    train(Watched(), data, out=tmp_path / "a", training=schedule(), display=quiet)
    key = "b"
    distill(tiny_net(width=16), Watched(), data, KD(), out=tmp_path / "b", training=schedule(), display=quiet)
    assert len(seen["a"]) == len(seen["b"]) == 1 + 8
    assert all(torch.equal(a, b) for a, b in zip(seen["a"], seen["b"], strict=True))


def test_a_folder_that_exists_is_not_touched(go, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    with pytest.raises(
        SegDistillError, match="run exists. Take another --out, go on with --resume, or delete it"
    ):
        go()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_written_is_a_sentence(data, quiet, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SegDistillError, match="cannot be a folder: a file stands in its way. Choose another"):
        train(tiny_net(), data, out=tmp_path / "file" / "run", training=schedule(), display=quiet)


def test_a_full_disk_is_a_sentence_and_leaves_the_last_checkpoint_whole(data, quiet, tmp_path, monkeypatch):
    from segdistill.engine import checkpoint

    written = []

    def save(value, path):
        if written:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(torch_save(value, path))

    torch_save = torch.save
    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(SegDistillError, match="Cannot write .*last.ckpt: no space left on device"):
        train(tiny_net(), data, out=tmp_path / "run", training=schedule(), display=quiet)
    assert checkpoint.load(tmp_path / "run" / "last.ckpt")["progress"]["epoch"] == 1
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.endswith(".tmp")]


def test_running_out_of_memory_names_what_to_try(data, quiet, tmp_path):
    class Hungry(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = tiny_net()

        def forward(self, image):
            if image.shape[0] > 2:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
            return self.inner(image)

    with pytest.raises(
        SegDistillError, match="batch_size 4 in precision '32'. Try batch_size=2 with accumulate=2"
    ):
        train(Hungry(), data, out=tmp_path / "run", training=schedule(), display=quiet)


def test_other_errors_of_a_network_are_left_alone(data, quiet, tmp_path):
    class Broken(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = tiny_net()

        def forward(self, image):
            if image.shape[0] > 2:
                raise RuntimeError("a bug of its own")
            return self.inner(image)

    with pytest.raises(RuntimeError, match="a bug of its own"):
        train(Broken(), data, out=tmp_path / "run", training=schedule(), display=quiet)
    assert not (tmp_path / "run").exists()


def test_best_and_last_are_both_reported(data, quiet, tmp_path):
    run = train(tiny_net(), data, out=tmp_path / "run", training=schedule(), display=quiet)
    assert set(run.metrics) >= {"best", "last", "tests", "tests_last", "selection", "seconds", "step0"}
    assert run.metrics["tests"]["discs"]["images"] == 4
    assert run.metrics["selection"] == "dice on 8 validation images"


def test_the_last_epoch_can_be_the_result_although_an_earlier_one_scored_as_well(data, quiet, tmp_path):
    training = schedule(epochs=3, lr=1e-12, monitor="last")
    run = train(tiny_net(), data, out=tmp_path / "run", training=training, display=quiet)
    assert run.metrics["best"]["epoch"] == run.metrics["last"]["epoch"] == 3
    assert run.metrics["selection"] == "the last epoch"


def test_the_weights_of_a_run_give_the_scores_that_it_reports(data, quiet, tmp_path):
    from segdistill.engine import evaluate

    net = tiny_net()
    run = train(net, data, out=tmp_path / "run", training=schedule(epochs=4, lr=1e-2), display=quiet)
    again = Run.load(tmp_path / "run", net=copy.deepcopy(net))
    for network, key in ((again.student, "best"), (again.last, "last")):
        assert evaluate(network, data.val).compute()["dice"] == pytest.approx(
            run.metrics[key]["dice"], abs=1e-12
        )


def test_three_dimensions_train_too(quiet, tmp_path):
    from torch import nn

    def net(width):
        return nn.Sequential(nn.Conv3d(1, width, 3, padding=1), nn.ReLU(), nn.Conv3d(width, 1, 1))

    class Volumes(torch.utils.data.Dataset):
        ids = [f"volume_{i}" for i in range(4)]

        def __len__(self):
            return 4

        def __getitem__(self, index):
            g = torch.Generator().manual_seed(index)
            mask = torch.randint(0, 2, (4, 6, 8), generator=g, dtype=torch.uint8)
            return {"image": mask[None] * 200, "mask": mask, "id": self.ids[index]}

    data = Data(train=Volumes(), val=Volumes())
    training = schedule(batch_size=2)
    run = distill(net(8), net(4), data, AT(taps="1"), out=tmp_path / "run", training=training, display=quiet)
    assert run.metrics["best"]["dice"] > 0


def test_a_student_of_another_size_than_its_images_trains_in_bf16(data, quiet, tmp_path):
    from segdistill import Tapped

    training = schedule(precision="bf16")
    student, teacher = Tapped(tiny_net(), size=24), Tapped(tiny_net(width=16), size=(40, 40))
    run = distill(teacher, student, data, KD(), out=tmp_path / "run", training=training, display=quiet)
    assert len(run.log) == 2


def test_images_reach_the_network_unrounded(data, quiet, tmp_path):
    seen = []

    class Watched(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = tiny_net()

        def forward(self, image):
            seen.append(image.dtype)
            return self.inner(image)

    train(Watched(), data, out=tmp_path / "run", training=schedule(precision="bf16"), display=quiet)
    assert set(seen) == {torch.float32}


def test_multi_scale_does_not_shrink_what_the_teacher_sees(data, quiet, tmp_path):
    from segdistill import Tapped

    seen = []
    teacher = tiny_net(width=16)
    teacher.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape[2:])))
    images = Data(train=Discs(8, size=(64, 64)), val=Discs(2, size=(64, 64)))
    student = Tapped(tiny_net(), size=32)
    training = schedule(scales=(1.0,), epochs=1)
    distill(teacher, student, images, KD(), out=tmp_path / "run", training=training, display=quiet)
    assert set(seen) == {(64, 64)}
