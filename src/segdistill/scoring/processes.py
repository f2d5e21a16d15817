"""Work over a list in several processes, its results in the order of the list."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from segdistill.core import SegDistillError

Job = TypeVar("Job")
Part = TypeVar("Part")

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def processes_for(jobs: int, each: int) -> int:
    """How many processes pay: one per usable core, if there are enough jobs for each.

    A process takes seconds to start, so that little work is done sooner without it.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, jobs // each))


def in_processes(work: Callable[[Job], Part], jobs: Sequence[Job], processes: int) -> Iterator[Part]:
    """Call `work` for every job; one process does it in place.

    Args:
        work: A function of a module, so that other processes find it.
        jobs: What it is called with; must be picklable, as its results.
        processes: How many.

    Raises:
        SegDistillError: If a process dies.
    """
    count = min(processes, len(jobs))
    if count <= 1:
        yield from map(work, jobs)
        return
    # A fork of this process could inherit a lock that one of its threads holds; the server has no threads.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload([work.__module__])
    with _one_thread_each(), ProcessPoolExecutor(count, mp_context=context, initializer=_begin) as pool:
        try:
            yield from pool.map(work, jobs)
        except BrokenProcessPool as error:
            raise SegDistillError(
                "A process was killed, most likely because memory ran out; use fewer --workers."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let the processes, not threads in each of them, share the cores."""
    ours = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, "1"))
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


def _begin() -> None:
    """Leave Ctrl-C to the first process, which then stops the others, and end with it if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import cv2

    cv2.setNumThreads(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)  # the queue it waits at would never say anything again
