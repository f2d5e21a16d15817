"""Running what is missing: order, resuming, failures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

from benchmarks import jobs  # noqa: E402


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    sleep = jobs.time.sleep
    monkeypatch.setattr(jobs.time, "sleep", lambda _: sleep(0.01))


def writes(out, *, needs=None, code=0):
    program = f"import pathlib, sys; pathlib.Path({str(out)!r}).write_text('done') if {code} == 0 else sys.exit({code})"
    return jobs.Job(out, (sys.executable, "-S", "-c", program), needs)


def run(*listed, **options):
    return jobs.run(listed, is_done=Path.is_file, at_once=2, **options)


def test_a_job_waits_for_what_it_needs(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    program = (
        f"import pathlib; pathlib.Path({str(second)!r}).write_text(pathlib.Path({str(first)!r}).read_text())"
    )
    late = jobs.Job(second, (sys.executable, "-S", "-c", program), needs=first)
    assert run(late, writes(first)) == []
    assert second.read_text() == "done"


def test_what_is_done_is_not_run_again(tmp_path):
    (tmp_path / "a").write_text("before")
    assert run(writes(tmp_path / "a"), writes(tmp_path / "b")) == []
    assert (tmp_path / "a").read_text() == "before"
    assert (tmp_path / "b").read_text() == "done"


def test_a_failure_stops_everything(tmp_path):
    with pytest.raises(SystemExit, match=r"a failed; see .*a\.log"):
        run(writes(tmp_path / "a", code=3))


def test_a_failure_leaves_out_what_needs_it_if_asked_to_go_on(tmp_path):
    broken, fine = writes(tmp_path / "a", code=3), writes(tmp_path / "c")
    stuck = writes(tmp_path / "b", needs=tmp_path / "a")
    assert run(broken, stuck, fine, keep_going=True) == [broken, stuck]
    assert fine.out.is_file()


def test_a_job_that_another_program_is_at_is_waited_for_and_not_started_twice(tmp_path):
    out, ready = tmp_path / "a", tmp_path / "ready"
    program = (
        f"import pathlib, time; pathlib.Path({str(ready)!r}).touch(); time.sleep(0.2); "
        f"pathlib.Path({str(out)!r}).write_text('theirs')"
    )
    other = jobs.start(jobs.Job(out, (sys.executable, "-S", "-c", program)), 1)
    while not ready.exists():
        jobs.time.sleep(0)
    assert run(writes(out)) == []
    assert (out.read_text(), other.wait()) == ("theirs", 0)


def test_what_is_running_is_stopped_when_the_program_is(tmp_path, monkeypatch):
    class Killed(Exception):
        pass

    def killed(_):
        raise Killed

    monkeypatch.setattr(jobs.time, "sleep", killed)
    sleeper = jobs.Job(tmp_path / "a", (sys.executable, "-S", "-c", "import time; time.sleep(60)"))
    with pytest.raises(Killed):
        run(sleeper)
    assert not jobs.is_busy(sleeper)
