"""At most so many jobs of an account at the service at once: the others wait in line. `test_budget` has the budget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from nodes.jobs.budget import Purchase
from nodes.jobs.claims import Claims
from nodes.jobs.errors import NoFreePlace
from nodes.jobs.journal import Journal
from nodes.jobs.records import CLAIM_SECONDS, RequestKey, State
from nodes.runcomfy.errors import RateLimited
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.job_records import KEY, intend
from tests.support.machine import FakeMachine, go_by
from tests.support.postgres import on_both


def ask(journal: Journal, owner: str, account: str = "account", max_jobs: int = 2) -> int:
    """A request of its own for each owner: its place in line, or 0 where it may be submitted."""
    key = replace(KEY, request=owner, account=account)
    try:
        intend(journal, key, owner=owner, purchase=Purchase(max_jobs=max_jobs))
    except NoFreePlace as full:
        return full.place
    return 0


@on_both
def test_who_asks_first_is_served_first(journal: Journal) -> None:
    asked = ("one", "two", "three", "four", "five", "four", "three")
    assert [ask(journal, owner) for owner in asked] == [0, 0, 1, 2, 3, 2, 1]
    assert ask(journal, "six", account="another") == 0, "each account has places of its own"
    _, two, one = journal.records()
    journal.transition(journal.accept(one, "job-1"), State.SUCCEEDED)
    assert [ask(journal, owner) for owner in ("five", "four", "three")] == [2, 1, 0], "it is three's turn"
    journal.transition(two, State.REFUSED)
    assert [ask(journal, owner) for owner in ("four", "five")] == [0, 1]
    assert ask(journal, "five", max_jobs=0) == 0, "without a limit nobody waits"


def test_who_asks_again_writes_nothing(journal: Journal, file: Path) -> None:
    """Hundreds of runs may wait for hours, each asking every second."""
    assert [ask(journal, owner) for owner in ("one", "two", "three")] == [0, 0, 1]
    before = file.read_bytes()
    assert [ask(journal, owner) for owner in ("three", "three")] == [1, 1]
    assert file.read_bytes() == before


@on_both
def test_the_places_of_a_server_that_died_become_free(journal: Journal, clock: TurningClock) -> None:
    """Those of its jobs, and those of its runs in line; also where the clock was set back meanwhile."""
    assert [ask(journal, owner, max_jobs=1) for owner in ("one", "dead", "three")] == [0, 1, 2]
    clock.now += CLAIM_SECONDS - 1
    assert ask(journal, "three", max_jobs=1) == 2
    clock.now += 1
    assert ask(journal, "three", max_jobs=1) == 0
    assert ask(journal, "dead, too", max_jobs=1) == 1
    clock.offset -= 365 * 86400.0
    assert ask(journal, "five", max_jobs=1) == 0


@on_both
def test_a_run_that_ends_or_waits_for_another_leaves_the_line(journal: Journal) -> None:
    claims = Claims(journal)
    assert ask(journal, "one") == 0
    (job,) = journal.records()
    ends: dict[str, Callable[[str], object]] = {"ends": claims.release, "waits": partial(claims.await_job, job)}
    for name, end in ends.items():
        assert [ask(journal, owner, max_jobs=1) for owner in (name, f"behind {name}")] == [1, 2]
        end(name)
        assert ask(journal, f"behind {name}", max_jobs=1) == 1
        claims.release(f"behind {name}")
    claims.close()


@on_both
def test_of_many_runs_no_more_than_so_many_are_at_the_service(
    tmp_path: Path, clock: TurningClock, database: Callable[[], str]
) -> None:
    """Of two servers; the user reads who is next."""
    url = database()
    machines = [FakeMachine(tmp_path / name, clock, url) for name in (("one", "two") if url else ("one",))]
    still = TurningClock()
    most: list[int] = []

    def count() -> None:
        at_service = (State.INTENDED, State.ACCEPTED)
        most.append(sum(record.state in at_service for record in machines[0].journal.records()))

    for machine in machines:
        go_by(still, machine.journal)  # six runs turn the other one faster than their claims are renewed
        machine.service.before = {"submit": count, "status": count}
        machine.service = machines[0].service
        machine.change(max_jobs=2, client=machines[0].account.client)

    async def all_at_once() -> None:
        runs = [machines[n % len(machines)].generate(replace(BOAT, text=f"boat {n}")) for n in range(6)]
        assert len({video.request_id for video in await asyncio.gather(*runs)}) == 6

    asyncio.run(all_at_once())
    assert max(most) == 2
    lines = [line for machine in machines for line in machine.lines if line.startswith("Waiting for a free place")]
    assert {"Waiting for a free place, number 1 in line", "Waiting for a free place, number 3 in line"} <= set(lines)
    for machine in machines:
        machine.close()


def account_of(machine: FakeMachine) -> str:
    """As the journal keeps it."""
    return RequestKey.of(BOAT, account=machine.account.name, origin=machine.account.origin).account


def test_stop_leaves_the_line_at_once(machine: FakeMachine) -> None:
    other = "another machine|1|0|x"
    assert ask(machine.journal, other, account_of(machine), 1) == 0
    machine.change(max_jobs=1)
    assert "before anything was submitted. Nothing was charged." in machine.stopped("Waiting for a free place")
    machine.records()
    assert ask(machine.journal, "next", account_of(machine), 1) == 1


def test_a_long_line_leaves_time_for_trouble_that_passes(machine: FakeMachine) -> None:
    assert ask(machine.journal, "another machine|1|0|x", account_of(machine), 1) == 0
    machine.change(max_jobs=1, deadline=CLAIM_SECONDS - 1)
    machine.service.script["submit"].append(RateLimited(1.0))
    assert machine.run().request_id == "job-1"
