"""Run what is missing of many jobs, a few at once, and go on where a job was stopped.

A job locks its log while it lives. So a job that outlives the program that started it, or that another program has
started, is waited for and not started twice.
"""

from __future__ import annotations

import fcntl
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
    try:
        while waiting or running:
            failed += (broken := reap(running))
            if broken and not keep_going:
                sys.exit(f"{broken[0].out} failed; see {log(broken[0])}")
            waiting = [job for job in waiting if not is_done(job.out)]  # nor done by another program
            ready = [job for job in waiting if job.needs is None or is_done(job.needs)]
            free = next((job for job in ready if not is_busy(job)), None)
            if free and len(running) < at_once:
                waiting.remove(free)
                running[free] = start(free, threads)
            elif waiting and not running and not any(map(is_busy, waiting)):
                return failed + waiting
            else:
                time.sleep(1)
    finally:
        stop(running.values())
    return failed


def reap(running: dict[Job, subprocess.Popen[bytes]]) -> list[Job]:
    """Take out what has ended, and give what failed."""
    ended = {job: process for job, process in running.items() if process.poll() is not None}
    for job in ended:
        del running[job]
    broken = [job for job, process in ended.items() if process.returncode]
    for job in broken:
        say(f"failed: {log(job)}")
    return broken


def start(job: Job, threads: int) -> subprocess.Popen[bytes]:
    """Start one job."""
    job.out.parent.mkdir(parents=True, exist_ok=True)
    say(" ".join(job.command[1:]))
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with log(job).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the process inherits the lock with the file
        return subprocess.Popen(job.command, stdout=file, stderr=subprocess.STDOUT, env=environment)


def is_busy(job: Job) -> bool:
    """Whether a process is at a job, whoever started it."""
    if not log(job).is_file():
        return False
    with log(job).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


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
