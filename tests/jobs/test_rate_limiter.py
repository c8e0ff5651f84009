"""A limit that the service states once is heeded by all jobs together."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random

import pytest

from nodes.jobs.errors import Stopped
from nodes.jobs.events import Event
from nodes.jobs.executors import SUBMITS
from nodes.jobs.rate_limiter import Gate
from nodes.jobs.retry import LONGEST_ASKED, Backoff
from nodes.runcomfy.errors import RateLimited
from tests.support.fake_runcomfy import BOAT, Play, TurningClock, reply

JOBS = 30


@pytest.fixture
def clock() -> TurningClock:
    return TurningClock()


@pytest.fixture
def gate(clock: TurningClock) -> Gate:
    return Gate(clock, Backoff(Random(1)))


def limited(seconds: float | None) -> None:
    raise RateLimited(seconds)


def pause(gate: Gate, seconds: float | None = None) -> float:
    """How long a limited call is told to wait."""
    with pytest.raises(RateLimited) as caught:
        gate.through(limited, seconds)
    assert caught.value.retry_after is not None
    return caught.value.retry_after


def test_an_open_gate_lets_calls_through(gate: Gate) -> None:
    assert gate.through(divmod, 7, 2) == (3, 1)


def test_after_a_limit_no_call_is_made_until_the_time_is_over(gate: Gate, clock: TurningClock) -> None:
    assert pause(gate, 17) == pytest.approx(17)
    clock.now += 10
    with pytest.raises(RateLimited) as caught:
        gate.through(pytest.fail, "called")
    assert caught.value.retry_after == pytest.approx(7)
    clock.now += 7
    assert gate.through(str, 1) == "1"


def test_without_a_time_the_pauses_grow_until_a_call_gets_through(gate: Gate, clock: TurningClock) -> None:
    pauses = []
    for _ in range(6):
        pauses.append(pause(gate))
        clock.now += pauses[-1]
    assert pauses[-1] > 8 * pauses[0] > 0
    gate.through(str)
    assert pause(gate) < 2


def test_calls_that_are_limited_together_count_as_one(gate: Gate, clock: TurningClock) -> None:
    def limit_another() -> None:
        gate_closed = pause(gate, 3)
        assert gate_closed == pytest.approx(3)
        raise RateLimited(None)

    with pytest.raises(RateLimited) as caught:
        gate.through(limit_another)
    assert caught.value.retry_after == pytest.approx(3)
    clock.now += 3
    # Only one failure so far: the next pause is a second one's.
    assert pause(gate) < 2


class StandingClock(TurningClock):
    """Time stands still."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def test_of_many_jobs_at_a_limited_service_a_few_find_out_and_all_wait(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = StandingClock()
    play.change(clock=clock, gate=Gate(clock, Backoff(Random(1))))
    play.service.script["submit"] += [reply(429, {"retry-after": "60"})] * JOBS

    def show(event: Event) -> None:
        play.lines.append(str(event))
        if play.said("Trying again in 60 s.") == JOBS:
            play.press_stop()

    async def all_jobs() -> list[object]:
        runs = [play.generate(replace(BOAT, seed=seed)) for seed in range(JOBS)]
        return list(await asyncio.gather(*runs, return_exceptions=True))

    monkeypatch.setattr(play, "show", show)
    assert all(isinstance(outcome, Stopped) for outcome in asyncio.run(all_jobs()))
    assert 1 <= play.service.count("submit") <= SUBMITS


def test_a_time_that_no_service_means_is_capped_also_for_calls_that_were_under_way(gate: Gate) -> None:
    def limited_while_another_is() -> None:
        pause(gate, 86400)
        limited(86400)

    with pytest.raises(RateLimited) as caught:
        gate.through(limited_while_another_is)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after <= LONGEST_ASKED


def test_a_job_that_is_limited_again_and_again_waits_longer_and_longer(play: Play) -> None:
    """Calls of other jobs that get through in between open the shared gate, and say nothing about this one."""
    play.service.script["submit"] += [reply(429)] * 12
    play.service.before["submit"] = lambda: play.means.gate.through(str)
    play.run()
    at = [when for kind, when in play.service.calls if kind == "submit"]
    assert at[-1] - at[-2] > 10
