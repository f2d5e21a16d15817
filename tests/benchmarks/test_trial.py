"""A trial of a method: its weight, its parameters and its time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmarks import trial
from segdistill.methods import AICSD, AT, KD, Holistic


def session(method, *, task_weight=1.0, task=2.0, networks=(), **terms):
    step0 = {name: {"gradient": norm} for name, norm in {"task": task, **terms}.items()}
    return SimpleNamespace(
        progress=SimpleNamespace(step0=step0),
        trainable=SimpleNamespace(method=method, task_weight=task_weight),
        auxiliaries=SimpleNamespace(networks=networks),
    )


def test_a_method_is_made_to_pull_as_much_as_the_labels():
    assert trial.balance([session(KD(weight=2), kd=0.5)]) == 8
    assert trial.balance([session(AT(), a=3.0, b=4.0)]) == 0.4


def test_a_method_that_hardly_pulls_at_first_does_not_rule_later():
    assert trial.balance([session(KD(), kd=pull) for pull in (0.01, 1.0, 2.0)]) == 2
    assert trial.balance([session(KD(), kd=0.0), session(KD(), kd=1.0)]) is None


def test_a_method_that_holds_the_labels_back_pulls_as_much_as_all_of_them():
    method = AICSD()
    held_back = session(method, task_weight=method.task_weight, task=2.0 * method.task_weight, pi=0.5)
    assert method.task_weight == 0.01
    assert trial.balance([held_back]) == 4


def test_a_discriminator_that_has_learnt_nothing_is_not_balanced():
    critic = SimpleNamespace(parameters=[SimpleNamespace(numel=lambda: 700)])
    taught = session(Holistic(), term=1e-3, networks=[critic])
    assert trial.balance([taught]) is None
    assert trial.trained(taught) == 700


def test_a_stopped_run_keeps_its_time_and_a_killed_one_admits_that_it_is_lost(tmp_path, monkeypatch):
    seconds, out = iter([10.0, 13.0, 100.0, 104.0, 0.0, 1.0]), tmp_path / "KD-0"
    monkeypatch.setattr(trial, "clock", lambda: next(seconds))
    out.mkdir()

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trial.timed(out, stop)
    assert trial.timed(out, lambda: None) == 7
    (tmp_path / "KD-0.seconds").write_text("null")
    assert trial.timed(out, lambda: None) is None
