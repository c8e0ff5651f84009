"""Threads of several processes that do the same at the same moment, again and again."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

PATIENCE = 60.0
"""Seconds without a step after which the whole counts as a deadlock."""
_spawning = multiprocessing.get_context("spawn")


def in_threads(
    threads: Iterable[int], run: Callable[[int], Counter[str]], barrier: Barrier, results: Queue[object]
) -> None:
    """One process: run each thread by its number, and hand over what they have counted, or what went wrong first."""

    def guarded(thread: int) -> Counter[str]:
        try:
            return run(thread)
        except BaseException:
            barrier.abort()
            raise

    numbers = list(threads)
    with ThreadPoolExecutor(len(numbers)) as executor:
        futures = [executor.submit(guarded, number) for number in numbers]
        errors = [error for future in futures if (error := future.exception())]
    broken = [error for error in errors if not isinstance(error, threading.BrokenBarrierError)] or errors
    results.put(repr(broken[0]) if broken else sum((future.result() for future in futures), Counter[str]()))


def race(target: Callable[..., None], processes: int, threads: int, *arguments: object) -> Counter[str]:
    """Have so many processes with so many threads in all run ``target``, each with its number, the barrier of all
    threads and the queue for what is counted; the sum of that."""
    barrier, results = _spawning.Barrier(threads), _spawning.Queue()
    started = [
        _spawning.Process(target=target, args=(number, barrier, results, *arguments), daemon=True)
        for number in range(processes)
    ]
    for process in started:
        process.start()
    counted: Counter[str] = Counter()
    for _ in started:
        part = results.get(timeout=2 * PATIENCE)
        assert isinstance(part, Counter), part
        counted.update(part)
    for process in started:
        process.join(PATIENCE)
        assert process.exitcode == 0
    return counted
