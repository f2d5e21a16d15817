"""Run what is missing of many jobs, a few at once, and go on where a job was stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """One process that makes one file or folder.

    Attributes:
        out: What it makes; its output goes to a log beside it.
        command: What to run.
        needs: What must be there before it starts.
    """

    out: Path
    command: tuple[str, ...]
    needs: Path | None = None


def run(
    jobs: Iterable[Job], *, is_done: Callable[[Path], bool], at_once: int, keep_going: bool = False
) -> list[Job]:
    """Run the jobs that are not done, each with its share of the cores.

    Args:
        jobs: In the order they should start.
        is_done: Whether a job's result is complete.
        at_once: How many run at the same time.
        keep_going: Leave out what fails and what needs it, instead of stopping everything.

    Returns:
        The jobs that failed, or could not start.
    """
    waiting = [job for job in jobs if not is_done(job.out)]
    running: dict[Job, subprocess.Popen[bytes]] = {}
    failed: list[Job] = []
    threads = max(1, len(os.sched_getaffinity(0)) // at_once)
    while waiting or running:
        for job in [job for job, process in running.items() if process.poll() is not None]:
            if running.pop(job).returncode:
                failed.append(job)
                say(f"failed: {log(job)}")
                if not keep_going:
                    stop(running.values())
                    sys.exit(f"{job.out} failed; see {log(job)}")
        ready = [job for job in waiting if job.needs is None or is_done(job.needs)]
        if ready and len(running) < at_once:
            waiting.remove(ready[0])
            running[ready[0]] = start(ready[0], threads)
        elif waiting and not running:
            return failed + waiting
        else:
            time.sleep(1)
    return failed


def start(job: Job, threads: int) -> subprocess.Popen[bytes]:
    """Start one job."""
    job.out.parent.mkdir(parents=True, exist_ok=True)
    say(" ".join(job.command[1:]))
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with log(job).open("ab") as file:
        return subprocess.Popen(job.command, stdout=file, stderr=subprocess.STDOUT, env=environment)


def stop(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """Ask every process to save and stop, and wait for it."""
    asked = list(processes)
    for process in asked:
        process.terminate()
    for process in asked:
        process.wait()


def log(job: Job) -> Path:
    """Where the output of a job goes."""
    return job.out.with_name(f"{job.out.name}.log")


def say(text: str) -> None:
    """Print with the time of day."""
    print(time.strftime("%H:%M:%S"), text, flush=True)


def segdistill(arguments: Sequence[str]) -> tuple[str, ...]:
    """The command line, with this interpreter."""
    return (sys.executable, "-m", "segdistill", *arguments)
