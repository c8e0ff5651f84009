"""Stop, and the end of the graph, where several runs are at work."""

from __future__ import annotations

import asyncio
import itertools
import threading
from concurrent.futures import Future, wait
from dataclasses import replace

import pytest

from nodes.jobs import stop
from nodes.jobs.errors import JobExpired, JobFailed, OutcomeUnknown, Stopped
from nodes.jobs.events import Event
from nodes.jobs.job import Video
from nodes.jobs.records import State
from nodes.runcomfy.errors import ReadError
from tests.support.fake_runcomfy import BOAT
from tests.support.hanging import PATIENCE, Hanging, press_and_hang
from tests.support.machine import FakeMachine, NewMachine
from tests.support.postgres import on_both


def test_a_job_whose_submit_call_hangs_is_left_to_the_next_run_that_waits_for_it(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = Hanging()

    def show(event: Event) -> None:
        if "Another run is submitting" in str(event):
            hang.go_on.set()

    monkeypatch.setattr(stop, "SUBMIT_WAIT_SECONDS", 0.01)
    machine.service.before["submit"] = lambda: press_and_hang(machine, hang)
    assert "It may have been charged." in machine.stopped()
    machine.service.before = {}
    assert machine.run(run=replace(machine.prompt(), show=show)).request_id == "job-1"
    assert machine.states() == ["saved"]


def test_stop_while_another_run_has_the_job_leaves_the_job_alone(machine: FakeMachine, go_on: threading.Event) -> None:
    machine.service.before["submit"] = lambda: go_on.wait(PATIENCE)
    machine.stop_at = "Another run is submitting"

    async def two() -> Video:
        other = asyncio.create_task(machine.generate(run=replace(machine.prompt(), is_stopped=lambda: False)))
        while not machine.service.count("submit"):  # noqa: ASYNC110 - no more than a turn of the loop each
            await asyncio.sleep(0)
        with pytest.raises(Stopped, match=r"^Stopped before anything was submitted\. Nothing was charged\.$"):
            await machine.generate()
        go_on.set()
        return await other

    assert asyncio.run(two()).request_id == "job-1"
    assert (machine.service.count("submit"), machine.service.count("cancel")) == (1, 0)
    assert machine.states() == ["saved"]


def test_of_several_jobs_each_is_cancelled_and_told_though_the_first_ends_the_graph(machine: FakeMachine) -> None:
    """ComfyUI ends its event loop as soon as one node has stopped, and cancels all others in doing so."""
    hold = threading.Event()

    def cancel_slowly() -> None:
        # The first one is let through; the others' calls are under way when their runs are cut off.
        if machine.service.count("cancel") > 1:
            hold.wait(PATIENCE)

    async def let_through_when_cut_off() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            hold.set()

    async def graph() -> None:
        runs = [asyncio.create_task(machine.generate(replace(BOAT, seed=seed))) for seed in range(4)]
        while machine.service.count("submit") < 4:  # noqa: ASYNC110 - no more than a turn of the loop each
            await asyncio.sleep(0)
        machine.press_stop()
        (first, *_), _ = await asyncio.wait(runs, return_when=asyncio.FIRST_COMPLETED)
        # Cut off together with the others, and only then lets their calls through.
        gatekeeper = asyncio.create_task(let_through_when_cut_off())
        await asyncio.sleep(0)
        assert not gatekeeper.done()
        first.result()

    machine.service.before["cancel"] = cancel_slowly
    machine.service.queued = machine.clock.now = 1e6
    machine.change(deadline=1e9)
    with pytest.raises(Stopped) as caught:
        asyncio.run(graph())
    assert machine.states() == ["cancelled"] * 4
    said = [str(caught.value), *machine.lines]
    for number in range(1, 5):
        assert sum(f"job-{number} was still queued and is cancelled" in line for line in said) == 1, number


def test_a_silent_journal_is_waited_for_by_a_thread_each_and_not_by_each_job(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few threads cancel: hundreds of jobs would be running, and paid for, when the last one is looked at."""
    jobs, hang, waits = 20, Hanging(), itertools.count()

    def count(futures: list[Future[object]], seconds: float) -> object:
        if seconds:
            next(waits)
        return wait(futures, seconds and 0.05)

    async def graph() -> list[Video | BaseException]:
        runs = [machine.generate(replace(BOAT, seed=seed)) for seed in range(jobs)]
        return await asyncio.gather(*runs, return_exceptions=True)

    machine.service.queued = 1e6
    machine.change(deadline=1e9)
    monkeypatch.setattr(stop, "wait", count)
    monkeypatch.setattr(machine.account.claims, "holds", lambda *_: hang())
    # However far the first ones' looks have turned the clock before the last one is accepted.
    monkeypatch.setattr(machine.account.claims, "certainly_holds", lambda _: True)
    monkeypatch.setattr(machine, "stop", lambda: len(machine.service.accepted) == jobs)
    said = [str(outcome) for outcome in asyncio.run(graph())]
    assert all("is cancelled. Nothing was charged." in each for each in said), said
    assert next(waits) <= 10, "as many as there are threads"
    hang.go_on.set()
    assert machine.states() == ["cancelled"] * jobs


@on_both
def test_i_a_cancel_that_begins_late_leaves_the_next_runs_job_alone(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> None:
    monkeypatch.setattr(stop, "CANCEL_CALL_SECONDS", 0.01)
    monkeypatch.setattr(stop, "CANCEL_SECONDS", 0.0)
    for _ in range(10):  # all the threads for it
        machine.executors.cancels.submit(go_on.wait, PATIENCE)
    machine.stopped("Queued")
    run = machine.prompt()

    def show(event: Event) -> None:
        if "Queued" in str(event):
            go_on.set()
            machine.executors.cancels.submit(str).result(PATIENCE)

    assert machine.run(run=replace(run, show=show)).request_id == "job-1"
    assert machine.service.count("cancel") == 0


@on_both
@pytest.mark.parametrize("end", [State.FAILED, State.UNKNOWN_REPORTED])
def test_n_a_sibling_has_written_a_bad_end_down_and_not_raised_it_yet(machine: FakeMachine, end: State) -> None:
    """Whoever runs beside it cannot have read it."""
    claims, sibling = machine.account.claims, machine.account.claims.register(lambda: False)
    if end is State.FAILED:
        machine.abandon()
    else:
        machine.service.script["submit"].append(ReadError("connection lost"))
        machine.failed(OutcomeUnknown)
    (record,) = machine.records()
    claimed = claims.acquire(record, sibling)
    assert claimed
    machine.journal.transition(claimed, end)
    before = machine.bought
    machine.failed(JobFailed if end is State.FAILED else OutcomeUnknown)
    assert machine.bought == before
    claims.unregister(sibling)
    assert machine.run().request_id == f"job-{before + 1}"


def test_a_bad_end_that_a_failed_sibling_keeps_from_being_raised_is_shown_and_raised_by_the_next_run(
    new_machine: NewMachine, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> None:
    """Two of a list fail at once: ComfyUI cuts the second one off before it can raise anything."""
    for error, says in ((JobFailed, '"no"'), (JobExpired, "no longer has this job")):
        machine, ended = new_machine(), threading.Event()

        def hang(*_: object, ended: threading.Event = ended) -> tuple[()]:
            ended.set()
            go_on.wait(PATIENCE)
            return ()

        truth = machine.service.ending
        if error is JobFailed:
            machine.service.ending = {"status": "failed", "error": "no"}
        else:
            machine.service.forgotten.add("job-1")
        with monkeypatch.context() as patched:
            patched.setattr("nodes.jobs.runner.whole_files", hang)
            machine.cut_off(ended.is_set)
        assert machine.said(says) == 1, error
        assert not machine.said("being submitted"), error
        machine.service.ending = truth
        machine.failed(error)
        assert machine.bought == 1, error
        assert machine.run().request_id == "job-2", error
        go_on.set()
        go_on.clear()
