"""Two processes train what one does."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from segdistill.engine import Run, logs

SCRIPT = Path(__file__).with_name("two_processes.py")
FAILING = Path(__file__).with_name("failing_process.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1]), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    out = tmp_path_factory.mktemp("processes") / "one"
    torch.manual_seed(0)
    runpy.run_path(str(SCRIPT))["train"](out, 1)
    return out


def launch(*command):
    done = subprocess.run([*map(str, command)], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "launcher",
    [
        [sys.executable],
        pytest.param(
            [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port=29517"],
            marks=pytest.mark.slow,
        ),
    ],
    ids=["devices=2", "torchrun"],
)
def test_two_processes_give_the_weights_of_one(launcher, one, tmp_path):
    two = tmp_path / "two"
    launch(*launcher, SCRIPT, two, 2)
    for name in ("student", "best"):
        a, b = load_file(one / f"{name}.safetensors"), load_file(two / f"{name}.safetensors")
        for key in a:
            torch.testing.assert_close(a[key], b[key], rtol=1e-4, atol=1e-5)
    a, b = (torch.load(path / "last.ckpt", weights_only=True)["trainable"] for path in (one, two))
    torch.testing.assert_close(a["method.methods.2.critic.weight"], b["method.methods.2.critic.weight"])
    assert Run(two).metrics["tests"]["discs"]["images"] == 3
    for column in ("loss", "Hooked/critic"):
        assert [row[column] for row in Run(two).log] == pytest.approx(
            [row[column] for row in Run(one).log], rel=1e-4
        )
    assert len(logs.read(two / "scores" / "discs.csv")) == 3


@pytest.mark.slow
def test_a_mistake_in_one_process_ends_all_with_one_sentence(tmp_path):
    command = [sys.executable, str(FAILING), str(tmp_path / "run")]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (2, "error: The image 'disc_03' is gone.\n")
