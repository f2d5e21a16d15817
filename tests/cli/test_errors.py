"""What goes wrong is said in one line, with an exit code that scripts can read."""

from __future__ import annotations

import errno

import pytest

from segdistill import config
from segdistill.core import SegDistillError


@pytest.fixture
def raising(monkeypatch):
    """Let `segdistill recipes` raise something."""

    def arm(error):
        def names():
            raise error

        monkeypatch.setattr(config, "names", names)

    return arm


def test_a_users_mistake_is_one_line_and_code_2(run, raising):
    raising(SegDistillError("The lamp is off. Switch it on."))
    result = run("recipes")
    assert (result.exit_code, result.stderr) == (2, "error: The lamp is off. Switch it on.\n")


def test_debug_shows_the_traceback_wherever_it_stands(run, raising):
    for arguments in (("--debug", "recipes"), ("recipes", "--debug")):
        raising(SegDistillError("The lamp is off."))
        result = run(*arguments)
        assert result.exit_code == 2
        assert "Traceback" in result.stderr
        assert result.stderr.endswith("error: The lamp is off.\n")


def test_a_bug_is_one_line_and_code_1(run, raising):
    raising(KeyError("lamp"))
    result = run("recipes")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: KeyError: 'lamp' (run with --debug for the traceback)\n"


def test_an_error_without_words_is_named(run, raising):
    raising(RuntimeError())
    assert "RuntimeError: no message" in run("recipes").stderr


def test_out_of_memory_says_what_to_try(refused, raising):
    raising(MemoryError())
    assert "halve training.batch_size" in refused("recipes")
    assert "training.precision=bf16" in refused("recipes")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "The disk is full at 'runs/a': free some space"),
        (errno.EACCES, "No permission at 'runs/a'"),
        (errno.EROFS, "read-only at 'runs/a'"),
        (errno.ENOENT, "no such file or folder at 'runs/a'"),
    ],
)
def test_a_disk_that_refuses_says_where(refused, raising, number, words):
    raising(OSError(number, "system's words", "runs/a"))
    assert words in refused("recipes")


def test_another_system_error_keeps_its_own_words(run, raising):
    raising(OSError(errno.EBADF, "Bad file descriptor"))
    result = run("recipes")
    assert result.exit_code == 1
    assert "Bad file descriptor" in result.stderr


def test_ctrl_c_is_code_130(run, raising):
    raising(KeyboardInterrupt())
    result = run("recipes")
    assert (result.exit_code, result.stderr) == (130, "Stopped.\n")


@pytest.mark.parametrize("command", ["train", "distill"])
def test_ctrl_c_in_a_training_says_how_to_go_on(run, command, monkeypatch, recipe):
    def stop(*_, **__):
        raise KeyboardInterrupt("Saved runs/a after epoch 3.")

    monkeypatch.setattr(config, f"{command}_recipe", stop)
    result = run(command, recipe, "--out", "runs/my a", "-o", "training.lr=1e-3")
    assert result.exit_code == 130
    saved, again = result.stderr.splitlines()
    assert saved == "Saved runs/a after epoch 3."
    assert (
        again == f"Go on with: segdistill {command} {recipe} --out 'runs/my a' -o training.lr=1e-3 --resume"
    )


def test_only_the_first_of_several_processes_speaks(run, raising, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    raising(SegDistillError("The lamp is off."))
    result = run("recipes")
    assert (result.exit_code, result.output) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["destill"], "No such command 'destill'. Did you mean 'distill'"),
        (["train", "demo", "--ot", "x"], r"No such option: --ot"),
        (["train", "demo"], "Missing option '--out'"),
        (["train", "demo", "--out", "x", "--mode", "pupil"], "pupil"),
        (["train", "demo", "--out", "x", "--devices", "0"], "'--devices'"),
        (["predict"], "Missing argument 'RUN|FILE'"),
    ],
)
def test_a_mistake_in_the_command_line_points_to_the_help(refused, arguments, words):
    line = refused(*arguments)
    assert words in line
    assert line.endswith("--help")
