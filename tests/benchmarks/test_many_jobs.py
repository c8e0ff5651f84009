"""The benchmark of many jobs, with three of them."""

from __future__ import annotations

from benchmarks.many_jobs import measure
from nodes.rehearsal import Timing


def test_a_few_jobs_for_real() -> None:
    brought = measure(3, 0.01, Timing(queued=0.2, running=0.5))
    assert brought.out_of_order == 0
    assert brought.sample.decoding > 0
    assert 0 < brought.sample.threads <= 16
    assert brought.look.calls["submit"] == 3

    stopped = measure(3, 0.01, Timing(queued=600), stop=True)
    assert stopped.cancelled == 3
    assert stopped.sample.settling > 0
