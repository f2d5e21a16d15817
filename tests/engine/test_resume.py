"""A training that was stopped goes on as if nothing had happened."""

import signal

import pytest
import torch

from segdistill.core import SegDistillError
from segdistill.data import Augment, Data
from segdistill.engine import Run, Training, distill, train
from segdistill.engine.logs import Silence
from segdistill.methods import KD, FitNet
from stops import StopAt, assert_same, state
from toys import Discs, TinyNet, tiny_net


class Dropping(TinyNet):
    """Dropout draws random numbers within the network, which a resumed run must draw again."""

    def forward(self, image):
        return torch.nn.functional.dropout(super().forward(image), 0.2, self.training)


def student():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return Dropping(norm=True)


def go(out, *, net=None, display=None, resume=False, method=None, size=32, **options):
    data = Data(train=Discs(16), val=Discs(4, seed=1), augment=Augment(size))
    training = Training(
        **{
            "epochs": 3,
            "batch_size": 4,
            "precision": "32",
            "workers": 0,
            "ema": 0.9,
            "accumulate": 2,
            **options,
        }
    )
    return distill(
        tiny_net(width=16, norm=True),
        net or student(),
        data,
        method or KD() + FitNet(taps="body"),
        out=out,
        training=training,
        display=display or Silence(),
        resume=resume,
    )


@pytest.mark.parametrize(
    "at", [(1, 2), (0, 3), (1, 4)], ids=["mid-epoch", "mid-accumulation", "end-of-epoch"]
)
def test_a_resumed_run_is_bit_equal_to_one_that_was_never_stopped(at, tmp_path):
    whole = go(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt, match="Saved .* Go on with --resume"):
        go(tmp_path / "parts", display=StopAt(*at))
    assert not Run(tmp_path / "parts").is_finished
    parts = go(tmp_path / "parts", resume=True)
    assert_same(state(whole), state(parts))
    assert [row | {"seconds": 0} for row in whole.log] == [row | {"seconds": 0} for row in parts.log]
    assert whole.metrics["best"] == parts.metrics["best"]


def test_a_request_to_terminate_saves_too(tmp_path):
    with pytest.raises(KeyboardInterrupt, match="Saved"):
        go(tmp_path / "run", display=StopAt(0, 2, signal.SIGTERM))
    assert (tmp_path / "run" / "last.ckpt").exists()


def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(tmp_path):
    whole = go(tmp_path / "whole")
    with pytest.raises(SystemExit):
        go(tmp_path / "parts", display=Killed((1, 3)), checkpoint_steps=1)
    parts = go(tmp_path / "parts", resume=True, checkpoint_steps=1)
    assert_same(state(whole), state(parts))


def test_a_finished_run_is_returned_as_it_is(tmp_path):
    first = go(tmp_path / "run")
    before = first.metrics
    assert go(tmp_path / "run", resume=True).metrics == before


def test_resuming_what_never_began_begins_it(tmp_path):
    assert go(tmp_path / "run", resume=True).is_finished


def test_another_configuration_is_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "run", display=StopAt(1, 2))
    with pytest.raises(
        SegDistillError, match=r"was begun with training.lr=0.001, not 0.1. Resume with the same options"
    ):
        go(tmp_path / "run", resume=True, lr=0.1)
    with pytest.raises(SegDistillError, match=r"was begun with augment=Augment\(size=\(32, 32\)"):
        go(tmp_path / "run", resume=True, size=48)
    (tmp_path / "run" / "best.safetensors").unlink()
    with pytest.raises(
        SegDistillError, match=r"best.safetensors is missing, the weights of epoch 1. Copy the"
    ):
        go(tmp_path / "run", resume=True)


def test_another_number_of_workers_is_not_another_configuration(tmp_path):
    whole = go(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "parts", display=StopAt(1, 2))
    assert_same(state(whole), state(go(tmp_path / "parts", resume=True, workers=1)))


def test_a_damaged_checkpoint_is_a_sentence(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "run", display=StopAt(1, 2))
    file = tmp_path / "run" / "last.ckpt"
    half = torch.load(file, weights_only=True)
    del half["progress"]
    for write in (
        lambda: file.write_bytes(b"half"),
        lambda: torch.save([1], file),
        lambda: torch.save(half, file),
    ):
        write()
        with pytest.raises(
            SegDistillError, match=r"last.ckpt is damaged. Copy .*: --resume then begins the run anew"
        ):
            go(tmp_path / "run", resume=True)


class Killed(Silence):
    """Ends as kill -9 does: nothing is saved on the way out."""

    def __init__(self, when):
        self.when = when

    def step(self, epoch, done, total, terms):
        if self.when == (epoch, done):
            raise SystemExit

    def row(self, row, *, epochs):
        if self.when == row["epoch"]:
            raise SystemExit  # after the row, before the checkpoint


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_again(tmp_path):
    with pytest.raises(SystemExit):
        go(tmp_path / "run", display=Killed((0, 3)))
    assert not (tmp_path / "run" / "last.ckpt").exists()
    assert go(tmp_path / "run", resume=True).is_finished


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_kill_between_the_log_and_the_checkpoint_loses_no_row(epoch, tmp_path):
    whole = go(tmp_path / "whole")
    with pytest.raises(SystemExit):
        go(tmp_path / "parts", display=Killed(epoch))
    parts = go(tmp_path / "parts", resume=True)
    assert [row["epoch"] for row in parts.log] == [1, 2, 3]
    assert_same(state(whole), state(parts))


def test_another_teacher_is_refused(tmp_path, data, quiet):
    def run(seed, **options):
        distill(
            tiny_net(width=16, seed=seed),
            tiny_net(seed=1),
            data,
            KD(),
            out=tmp_path / "run",
            training=Training(epochs=2, batch_size=4, precision="32", workers=0),
            **options,
        )

    with pytest.raises(KeyboardInterrupt):
        run(0, display=StopAt(0, 2))
    with pytest.raises(SegDistillError, match="begun with another teacher"):
        run(7, display=quiet, resume=True)
    run(0, display=quiet, resume=True)
    with pytest.raises(SegDistillError, match="begun with another teacher"):  # although nothing is left to do
        run(7, display=quiet, resume=True)


def test_another_weight_of_a_method_is_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "run", display=StopAt(1, 2), method=KD(weight=2))
    with pytest.raises(SegDistillError, match=r"begun with method.*2.*, not"):
        go(tmp_path / "run", method=KD(weight=3), resume=True)


def test_a_checkpoint_of_another_student_is_a_sentence(tmp_path, quiet, data):
    training = Training(epochs=2, batch_size=4, precision="32", workers=0)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_net(), data, out=tmp_path / "run", training=training, display=StopAt(0, 2))
    with pytest.raises(SegDistillError, match="checkpoint is of another student"):
        train(tiny_net(width=4), data, out=tmp_path / "run", training=training, display=quiet, resume=True)


def test_no_pickle_hides_in_a_checkpoint(tmp_path):
    """`weights_only` loading refuses code, so what is written must be plain."""
    assert state(go(tmp_path / "run"))["version"] == 1


def test_a_folder_of_something_else_is_no_run_to_resume(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    with pytest.raises(SegDistillError, match="holds no run to resume, but something else"):
        go(tmp_path / "run", resume=True)


def test_a_distillation_is_not_resumed_as_a_training(tmp_path, data, quiet):
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "run", display=StopAt(1, 2))
    with pytest.raises(SegDistillError, match="was begun with distill. Resume it with that"):
        train(student(), data, out=tmp_path / "run", display=quiet, resume=True)


@pytest.mark.parametrize("rescale", ["smooth", "as_released"])
def test_a_step_at_each_scale_resumes_to_the_same_bits(rescale, tmp_path):
    every = {"accumulate": 1, "epochs": 2, "scales": (1, 2), "scale_steps": "each", "rescale": rescale}
    whole = go(tmp_path / "whole", **every)
    with pytest.raises(SystemExit):  # step 12 of 16, of which 9 lies within the batch before
        go(tmp_path / "parts", display=Killed((1, 2)), checkpoint_steps=3, **every)
    assert state(Run(tmp_path / "parts"))["progress"]["step"] == 10
    parts = go(tmp_path / "parts", resume=True, checkpoint_steps=3, **every)
    assert_same(state(whole), state(parts))


def test_an_option_younger_than_the_run_does_not_stop_it(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "run", display=StopAt(1, 2))
    config = tmp_path / "run" / "config.yaml"
    lines = [line for line in config.read_text().splitlines() if "rescale" not in line]
    config.write_text("\n".join(lines))
    assert go(tmp_path / "run", resume=True).is_finished
