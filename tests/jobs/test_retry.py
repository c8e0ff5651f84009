"""How long is waited after failures."""

from __future__ import annotations

from random import Random

from nodes.jobs.waiting import Backoff


def test_pauses_after_failures_double_with_jitter_up_to_a_limit() -> None:
    backoff = Backoff(Random(7))
    pauses = [backoff.pause() for _ in range(12)]
    for number, pause in enumerate(pauses):
        full = min(30.0, 2.0**number)
        assert full / 2 <= pause <= full
    assert len({pause / min(30.0, 2.0**n) for n, pause in enumerate(pauses)}) > 6
    backoff.reset()
    assert backoff.pause() <= 1.0


def test_a_pause_is_never_shorter_than_the_service_asks_for() -> None:
    assert Backoff(Random(7)).pause(17.0) == 17.0
    assert Backoff(Random(7), failures=9).pause(1.0) >= 15.0
