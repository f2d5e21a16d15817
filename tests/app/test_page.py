"""The page without a browser: what gradio was told about its events and its files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser  # it needs none, but gradio takes seconds to be imported


@pytest.fixture(scope="module")
def facts():
    pytest.importorskip("gradio")
    program = Path(__file__).with_name("laid_out.py")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_two_short_requests_and_one_long_one_run_at_a_time_whatever_they_are(facts):
    assert facts["events"] == [["long", 1], ["short", 2]]
    assert facts["waiting"] == 32


def test_an_upload_is_deleted_when_it_is_older_than_an_hour(facts):
    assert facts["kept"] == [True, False]
    assert facts["looks every"] == 60
    assert facts["below scratch"]
