"""How runs wait: few threads that keep nothing, pauses that grow, and a limit that the service states once."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Iterator
from random import Random

import pytest

from nodes.errors import StopRequested
from nodes.jobs.waiting import (
    MAX_RETRY_AFTER,
    Backoff,
    Executors,
    RateLimiter,
    Run,
)
from nodes.runcomfy.errors import RateLimited
from tests.support.fake_runcomfy import TurningClock, reply
from tests.support.machine import FakeMachine

PATIENCE = 30.0


class Frames:
    """As large as they may be."""


def a_run() -> Run:
    return Run("key", "prompt", show=lambda _: None, is_stopped=lambda: False)


@pytest.fixture
def executors() -> Iterator[Executors]:
    executors = Executors()
    yield executors
    executors.close()


def test_what_was_brought_is_gone_once_its_user_lets_it_go(executors: Executors) -> None:
    async def use() -> None:
        frames = await a_run().wait_for(executor.submit(Frames))
        weakref.finalize(frames, gone.set)

    for executor in (executors.decodes, executors.calls, executors.journal):
        gone = threading.Event()
        asyncio.run(use())
        assert gone.wait(PATIENCE), executor


def test_whatever_hangs_stop_the_journal_and_one_decoding_go_on(executors: Executors) -> None:
    go_on = threading.Event()
    hanging = [each.submit(go_on.wait, PATIENCE) for each in (executors.calls, executors.downloads) for _ in range(50)]
    try:
        for executor in (executors.cancels, executors.journal, executors.decodes):
            assert executor.submit(str, "done").result(PATIENCE) == "done"
        # Each may fill the memory.
        first, second = executors.decodes.submit(go_on.wait, PATIENCE), executors.decodes.submit(str)
        assert not second.done()
        assert not first.done()
    finally:
        go_on.set()
    assert all(future.result(PATIENCE) for future in hanging)


def test_ten_jobs_are_cancelled_at_once(executors: Executors) -> None:
    """So Stop settles 200 in its ten seconds where a call takes 0.4 s; whatever it does not reach is charged."""
    together = threading.Barrier(10, timeout=PATIENCE)
    for call in [executors.cancels.submit(together.wait) for _ in range(10)]:
        call.result()


def test_what_has_not_begun_when_the_engine_is_closed_never_does(executors: Executors) -> None:
    """Else Ctrl+C would wait until all that is queued is bought."""
    go_on = threading.Event()
    submitting = [executors.calls.submit(go_on.wait, PATIENCE) for _ in range(50)]
    executors.close()
    go_on.set()
    assert sum(not each.cancelled() and each.result(PATIENCE) for each in submitting) == 7


def test_what_has_not_begun_when_its_run_is_cut_off_never_does(executors: Executors) -> None:
    """A sibling has failed while every thread is busy; the user reads that nothing was charged."""
    go_on, begun = threading.Event(), threading.Event()

    async def cut_off() -> None:
        waiting = asyncio.ensure_future(run.wait_for(executors.journal.submit(begun.set)))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})

    run = a_run()
    executors.journal.submit(go_on.wait, PATIENCE)
    asyncio.run(cut_off())
    go_on.set()
    executors.journal.submit(str).result(PATIENCE)
    assert not begun.is_set()
    with pytest.raises(StopRequested):
        run.check()


def test_threads_end_their_work_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python waits for them after Ctrl+C, and a download may take ten minutes."""
    run = a_run()
    run.check()
    ended = threading.Thread()
    monkeypatch.setattr(threading, "main_thread", lambda: ended)
    with pytest.raises(StopRequested):
        run.check()


def test_pauses_after_failures_double_with_jitter_up_to_a_limit() -> None:
    backoff = Backoff(Random(7))
    shares = []
    for number in range(12):
        full = min(30.0, 2.0**number)
        shares.append(backoff.pause() / full)
        assert 0.5 <= shares[-1] <= 1
    assert len(set(shares)) > 6
    backoff.reset()
    assert backoff.pause() <= 1.0


def test_a_pause_is_never_shorter_than_the_service_asks_for() -> None:
    assert Backoff(Random(7)).pause(17.0) == 17.0
    assert Backoff(Random(7), failures=9).pause(1.0) >= 15.0


@pytest.fixture
def rate_limiter(clock: TurningClock) -> RateLimiter:
    return RateLimiter(clock, Backoff(Random(1)))


def limited(seconds: float | None) -> None:
    raise RateLimited(seconds)


def pause(rate_limiter: RateLimiter, call: Callable[..., None] = limited, *args: float | None) -> float:
    """How long a limited call is told to wait."""
    with pytest.raises(RateLimited) as caught:
        rate_limiter.call(call, *(args or (None,) if call is limited else ()))
    assert caught.value.retry_after is not None
    return caught.value.retry_after


def test_after_a_limit_no_call_is_made_until_the_time_is_over(rate_limiter: RateLimiter, clock: TurningClock) -> None:
    assert rate_limiter.call(divmod, 7, 2) == (3, 1)
    assert pause(rate_limiter, limited, 17) == pytest.approx(17)
    clock.now += 10
    with pytest.raises(RateLimited) as caught:
        rate_limiter.call(pytest.fail, "called")
    assert caught.value.retry_after == pytest.approx(7)
    clock.now += 7
    assert rate_limiter.call(str, 1) == "1"


def test_without_a_time_the_pauses_grow_until_a_call_gets_through(
    rate_limiter: RateLimiter, clock: TurningClock
) -> None:
    pauses = []
    for _ in range(6):
        pauses.append(pause(rate_limiter))
        clock.now += pauses[-1]
    assert pauses[-1] > 8 * pauses[0] > 0
    rate_limiter.call(str)
    assert pause(rate_limiter) < 2


def test_calls_that_are_limited_together_count_as_one(rate_limiter: RateLimiter, clock: TurningClock) -> None:
    def limit_another() -> None:
        assert pause(rate_limiter, limited, 3) == pytest.approx(3)
        raise RateLimited(None)

    assert pause(rate_limiter, limit_another) == pytest.approx(3)
    clock.now += 3
    # Only one failure so far: the next pause is a second one's.
    assert pause(rate_limiter) < 2


def test_a_time_that_no_service_means_is_capped_also_for_calls_that_were_under_way(rate_limiter: RateLimiter) -> None:
    def limited_while_another_is() -> None:
        pause(rate_limiter, limited, 86400)
        limited(86400)

    assert pause(rate_limiter, limited_while_another_is) <= MAX_RETRY_AFTER


def test_a_job_that_is_limited_again_and_again_waits_longer_and_longer(machine: FakeMachine) -> None:
    """Calls of other jobs that get through in between open the shared rate limiter, and say nothing about this one."""
    machine.service.script["submit"] += [reply(429)] * 12
    machine.service.before["submit"] = lambda: machine.account.rate_limiter.call(str)
    machine.run()
    at = [when for kind, when in machine.service.calls if kind == "submit"]
    assert at[-1] - at[-2] > 10
