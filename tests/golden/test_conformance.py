"""The command that compares our losses with recorded ones: what it prints, and what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]

from benchmarks import conformance  # noqa: E402

KD = {"id": "kd/cirkd_T1", "student": ["logits_s"], "teacher": ["logits_t"], "args": {"temperature": 1.0}}


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command on cases and tensors; its exit code and what it printed."""
    rng = np.random.default_rng(0)
    tensors = {name: rng.normal(size=(1, 4, 5, 3)).astype("f4") for name in ("logits_s", "logits_t")}

    def run(*cases, without=(), grads=None):
        (tmp_path / "cases.json").write_text(json.dumps({"cases": list(cases)}))
        kept = {name: x for name, x in tensors.items() if name not in without}
        torch.save({name: torch.from_numpy(x) for name, x in kept.items()}, tmp_path / "tensors.pt")
        arguments = ["--cases", str(tmp_path / "cases.json"), "--tensors", str(tmp_path / "tensors.pt")]
        if grads is not None:
            np.savez(tmp_path / "grads.npz", **grads)
            arguments += ["--grads", str(tmp_path / "grads.npz")]
        code = conformance.main(arguments)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    run.s, run.t = (torch.from_numpy(tensors[name]) for name in ("logits_s", "logits_t"))
    return run


def expected(run):
    """Value and gradient of the plain formula, on tensors of another shape than the recorded ones."""
    s = run.s.double().requires_grad_()
    loss = (run.t.double().softmax(1) * (run.t.double().log_softmax(1) - s.log_softmax(1))).sum(1).mean()
    loss.backward()
    return loss.item(), s.grad


def numbers(printed):
    """Value and norm of the first case."""
    return [float(cell) for cell in printed.splitlines()[1].split()[1:3]]


def test_passes_what_agrees(run):
    value, gradient = expected(run)
    case = {**KD, "loss_f32": value, "grad_norm_f32": gradient.norm().item(), "rtol": 1e-5}
    code, printed = run(case, grads={"kd/cirkd_T1::logits_s": gradient.float().numpy()})
    assert code == 0
    assert printed.splitlines()[-1] == "1 passed, 0 failed"
    assert numbers(printed) == pytest.approx([value, gradient.norm().item()], rel=1e-5)


@pytest.mark.parametrize("wrong", ["loss_f32", "grad_norm_f32"])
def test_fails_what_is_off_by_more_than_the_tolerance(run, wrong):
    value, gradient = expected(run)
    case = {**KD, "loss_f32": value, "grad_norm_f32": gradient.norm().item(), "rtol": 1e-5}
    code, printed = run({**case, wrong: case[wrong] * 1.001})
    assert code == 1
    assert printed.splitlines()[-1] == "0 passed, 1 failed"


@pytest.mark.parametrize("wrong", [lambda g: -g, lambda g: g[..., :1]], ids=["turned", "another shape"])
def test_fails_a_gradient_that_is_wrong_with_the_right_norm(run, wrong):
    value, gradient = expected(run)
    case = {**KD, "loss_f32": value, "grad_norm_f32": gradient.norm().item()}
    code, printed = run(case, grads={"kd/cirkd_T1::logits_s": wrong(gradient).float().numpy()})
    assert code == 1
    assert "FAIL" in printed


def test_computes_withheld_values_without_judging_them(run):
    code, printed = run({**KD, "loss_f32": None, "grad_norm_f32": None, "withheld": True})
    assert code == 0
    assert numbers(printed)[0] == pytest.approx(expected(run)[0], rel=1e-5)
    assert printed.splitlines()[-2:] == ["1 withheld: computed, not judged", "0 passed, 0 failed"]


def test_an_unknown_id_fails(run):
    code, printed = run({**KD, "id": "kd/of_nobody"})
    assert code == 1
    assert "no method is known for this id" in printed


def test_one_broken_case_does_not_hide_the_others(run):
    value, gradient = expected(run)
    good = {**KD, "loss_f32": value, "grad_norm_f32": gradient.norm().item()}
    code, printed = run({**good, "args": {"temperature": -1}}, good)
    assert code == 1
    assert "KD needs a positive temperature" in printed
    assert printed.splitlines()[-1] == "1 passed, 1 failed"


def test_a_missing_tensor_is_named(run):
    code, printed = run(KD, without=["logits_t"])
    assert code == 2
    assert printed == (
        "Case kd/cirkd_T1 needs the tensor 'logits_t', which is not in the file of --tensors.\n"
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none.json", None, "Cannot read .*none.json: No such file"),
        ("bad.json", "{", "bad.json is not JSON"),
        ("other.json", "{}", "other.json holds no cases"),
        ("entries.json", '{"cases": [{"id": 1}]}', "entries.json holds no cases"),
    ],
)
def test_files_that_are_no_cases_are_refused(tmp_path, capsys, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    assert conformance.main(["--cases", str(tmp_path / name)]) == 2
    assert re.match(f".*{message}", capsys.readouterr().err)


@pytest.mark.parametrize(("name", "content"), [("none.npz", None), ("bad.npz", b"no"), ("bad.pt", b"no")])
def test_files_that_are_no_tensors_are_refused(tmp_path, capsys, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert conformance.main(["--tensors", str(tmp_path / name)]) == 2
    assert "Give " in capsys.readouterr().err


@pytest.mark.slow
def test_runs_as_a_script_from_anywhere(tmp_path):
    (tmp_path / "cases.json").write_text('{"cases": []}')
    script = [sys.executable, str(ROOT / "benchmarks" / "conformance.py"), "--cases", "cases.json"]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 passed, 0 failed"
