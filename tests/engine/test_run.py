import json

import pytest
import torch

from segdistill import models
from segdistill.core import SegDistillError
from segdistill.engine import Run, Training, train
from segdistill.tasks import Binary
from toys import tiny_net


@pytest.fixture
def run(data, short, quiet, tmp_path):
    return train(tiny_net(), data, out=tmp_path / "run", training=short, display=quiet)


def test_a_run_explains_itself(run):
    assert run.config["training"]["epochs"] == 2
    assert run.task == Binary()
    assert run.is_finished
    assert {"command", "commit", "python", "processor", "versions"} <= set(run.env)
    assert run.env["versions"]["torch"]
    assert [row["epoch"] for row in run.log] == [1, 2]


def test_a_network_of_the_zoo_is_rebuilt_from_the_folder(data, quiet, tmp_path):
    net = models.load(
        {"smp.Unet": {"encoder_name": "tu-mobilenetv3_small_050", "decoder_channels": [8, 8, 8, 8, 8]}},
        classes=1,
        weights="none",
        size=(32, 32),
    )
    training = Training(epochs=1, batch_size=8, precision="32", workers=0)
    train(net, data, out=tmp_path / "run", training=training, display=quiet)
    again = Run.load(tmp_path / "run")
    assert again.student.size == (32, 32)
    assert again.student.mean.tolist() == net.mean.tolist()
    assert again.student.aliases == net.aliases
    assert json.loads((tmp_path / "run" / "model.json").read_text())["gmac"] > 0
    named = models.load(str(tmp_path / "run"), classes=1).eval()
    image = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(named(image).logits, again.student(image).logits)
    with pytest.raises(SegDistillError, match="has 1 logit channels, not 3"):
        models.load(tmp_path / "run", classes=3)
    assert again.evaluate(data.val).compute()["dice"] == pytest.approx(again.metrics["best"]["dice"])


def test_a_run_of_ones_own_network_is_not_loaded_by_name(run):
    with pytest.raises(SegDistillError, match=r"weights of toys.TinyNet.*Run.load\(path, net="):
        models.load(str(run.path), classes=1)


def test_a_network_of_ones_own_has_to_be_given(run):
    with pytest.raises(SegDistillError, match=r"weights of toys.TinyNet.*net=TinyNet"):
        _ = Run.load(run.path).student


@pytest.mark.slow
def test_a_run_is_exported_as_the_predictor_that_it_gives(run, tmp_path):
    predictor = Run.load(run.path, net=tiny_net()).export(tmp_path / "student.onnx")
    assert (predictor.path, predictor.classes) == (tmp_path / "student.onnx", run.task.classes)


def test_best_and_last_are_networks_of_their_own(run):
    again = Run.load(run.path, net=tiny_net())
    assert again.student is not again.last


def test_weights_of_another_model_are_a_sentence(run):
    with pytest.raises(SegDistillError, match="best.safetensors holds another model"):
        _ = Run.load(run.path, net=tiny_net(width=4)).student


def test_damaged_weights_are_a_sentence(run):
    (run.path / "best.safetensors").write_bytes(b"0123456789")
    with pytest.raises(SegDistillError, match="best.safetensors is damaged"):
        _ = Run.load(run.path, net=tiny_net()).student


def test_missing_weights_are_a_sentence(run):
    (run.path / "best.safetensors").unlink()
    with pytest.raises(SegDistillError, match="best.safetensors is missing"):
        _ = Run.load(run.path, net=tiny_net()).student


def test_any_folder_is_not_a_run(tmp_path):
    with pytest.raises(SegDistillError, match="is not a run folder: it has no config.yaml"):
        Run(tmp_path)


def test_the_scores_of_an_unfinished_run_are_a_sentence(run):
    (run.path / "metrics.json").unlink()
    with pytest.raises(SegDistillError, match="has no metrics.json: its training has not finished"):
        _ = run.metrics


def test_nothing_in_a_run_names_the_machines_folders(run):
    for name in ("config.yaml", "metrics.json", "model.json", "log.csv"):
        assert "/tmp" not in (run.path / name).read_text()


def test_a_damaged_file_is_a_sentence(run):
    for name, text, read in (
        ("config.yaml", "{", "config"),
        ("config.yaml", "{}", "config"),
        ("metrics.json", "{", "metrics"),
        ("model.json", "{", "task"),
        ("model.json", "{}", "task"),
        ("model.json", '{"task": {}}', "task"),
        ("model.json", '{"task": {"Binary": {}}, "spec": null, "class": "x"}', "student"),
    ):
        (run.path / name).write_text(text)
        with pytest.raises(SegDistillError, match=f"{name} is damaged"):
            getattr(Run.load(run.path, net=tiny_net()), read)
    (run.path / "model.json").write_text('{"spec": 5, "class": "x"}')
    with pytest.raises(SegDistillError, match=r"model.json is damaged"):
        models.load(run.path, classes=1)
