"""A limit that the service states once is heeded by all jobs together."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from nodes.jobs.account import RateLimiter
from nodes.jobs.waiting import MAX_RETRY_AFTER, Backoff
from nodes.runcomfy.errors import RateLimited
from tests.support.fake_runcomfy import FakeMachine, TurningClock, reply

PATIENCE = 30.0


@pytest.fixture
def clock() -> TurningClock:
    return TurningClock()


@pytest.fixture
def rate_limiter(clock: TurningClock) -> RateLimiter:
    return RateLimiter(clock, Backoff(Random(1)))


def limited(seconds: float | None) -> None:
    raise RateLimited(seconds)


def pause(rate_limiter: RateLimiter, seconds: float | None = None) -> float:
    """How long a limited call is told to wait."""
    with pytest.raises(RateLimited) as caught:
        rate_limiter.call(limited, seconds)
    assert caught.value.retry_after is not None
    return caught.value.retry_after


def test_an_open_gate_lets_calls_through(rate_limiter: RateLimiter) -> None:
    assert rate_limiter.call(divmod, 7, 2) == (3, 1)


def test_after_a_limit_no_call_is_made_until_the_time_is_over(rate_limiter: RateLimiter, clock: TurningClock) -> None:
    assert pause(rate_limiter, 17) == pytest.approx(17)
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
        gate_closed = pause(rate_limiter, 3)
        assert gate_closed == pytest.approx(3)
        raise RateLimited(None)

    with pytest.raises(RateLimited) as caught:
        rate_limiter.call(limit_another)
    assert caught.value.retry_after == pytest.approx(3)
    clock.now += 3
    # Only one failure so far: the next pause is a second one's.
    assert pause(rate_limiter) < 2


def test_of_many_calls_at_once_those_under_way_find_out_and_the_others_are_not_made(
    rate_limiter: RateLimiter,
) -> None:
    threads, jobs = 8, 30
    together, made = threading.Barrier(threads), itertools.count()

    def limited_together() -> None:
        if next(made) < threads:
            together.wait(PATIENCE)
        raise RateLimited(60)

    with ThreadPoolExecutor(threads) as executor:
        futures = [executor.submit(rate_limiter.call, limited_together) for _ in range(jobs)]
        assert all(isinstance(future.exception(), RateLimited) for future in futures)
    # One thread may look at the limiter before the first of the others has come back.
    assert next(made) < 2 * threads


def test_a_time_that_no_service_means_is_capped_also_for_calls_that_were_under_way(rate_limiter: RateLimiter) -> None:
    def limited_while_another_is() -> None:
        pause(rate_limiter, 86400)
        limited(86400)

    with pytest.raises(RateLimited) as caught:
        rate_limiter.call(limited_while_another_is)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after <= MAX_RETRY_AFTER


def test_a_job_that_is_limited_again_and_again_waits_longer_and_longer(machine: FakeMachine) -> None:
    """Calls of other jobs that get through in between open the shared rate_limiter, and say nothing about this one."""
    machine.service.script["submit"] += [reply(429)] * 12
    machine.service.before["submit"] = lambda: machine.account.rate_limiter.call(str)
    machine.run()
    at = [when for kind, when in machine.service.calls if kind == "submit"]
    assert at[-1] - at[-2] > 10
