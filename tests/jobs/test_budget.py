"""What may be spent in 24 hours: never more than the limit, whatever the clock shows. `test_races` has many that ask
at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from nodes.jobs.budget import (
    BUDGET_VARIABLE,
    DAY,
    DEFAULT_LIMIT,
    MAX_UNPRICED,
    PRICE_SECONDS,
    BudgetSetting,
    Limit,
    Purchase,
    base_price,
    estimate,
)
from nodes.jobs.errors import BudgetReached, JobError
from nodes.jobs.events import clock_minute
from nodes.jobs.journal import Journal
from nodes.jobs.quote import ListPrice
from nodes.jobs.records import JobRecord, State
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.responses import ModelInfo
from nodes.texts import SETTINGS
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.job_records import KEY, execute, intend, record_in
from tests.support.machine import FakeMachine, NewMachine, go_by
from tests.support.postgres import on_both

YEAR = 365 * DAY
ONE = Purchase(60_000, Limit(60_000))
"""Of a budget that one video uses up."""
PRICE = ModelInfo(0.03, "second")
"""Of BOAT: $0.06."""


def boat(number: int) -> GenerationRequest:
    return replace(BOAT, seed=number)


def limited(machine: FakeMachine, usd: float, model: ModelInfo = PRICE, cost: float | None = 0.06) -> FakeMachine:
    answer: Future[ModelInfo] = Future()
    answer.set_result(model)
    machine.change(limit=lambda: Limit(round(usd * 1e6)), price=ListPrice(lambda: answer, machine.clock))
    machine.service.ending["cost"] = cost
    return machine


def buy(journal: Journal, number: int, purchase: Purchase) -> JobRecord:
    return intend(journal, replace(KEY, request=f"request {number}"), purchase=purchase)


def is_allowed(journal: Journal, purchase: Purchase) -> bool:
    """Whether one more could be bought, which is not done."""
    try:
        record = buy(journal, -1, purchase)
    except BudgetReached:
        return False
    execute(journal, f"DELETE FROM paid_jobs WHERE id = {record.id}")
    return True


def test_a_price_is_of_a_second_or_of_a_video_and_the_dearest_counts() -> None:
    prices = {
        ModelInfo(0.02, "second"): 100_000,
        ModelInfo(0.02, "per second"): 100_000,
        ModelInfo(0.25, "output"): 250_000,
        ModelInfo(0.25, "1M tokens"): None,
        ModelInfo(0.25): None,
        ModelInfo(None, "second"): None,
    }
    for model, price in prices.items():
        assert base_price(model, 5) == price, model
    for costs, base, expected in (
        ([], None, None),
        ([], 5, 5),
        ([0.1, 0.3, 0.2], None, 300_000),
        ([0.1], 200_000, 200_000),
        ([0.3], 200_000, 300_000),
        ([0.0], 0, None),
    ):
        assert estimate(costs, base) == expected, (costs, base)


def test_the_limit_is_the_environments_else_the_saved_one_else_50_dollars(tmp_path: Path) -> None:
    file = tmp_path / "private" / "budget"
    for text in ("", "  "):
        assert BudgetSetting(file, {BUDGET_VARIABLE: text}).limit() == Limit(DEFAULT_LIMIT, SETTINGS)
    setting = BudgetSetting(file, {})
    for usd, amount in ((12.5, 12_500_000), (0, 0), (0.10, 100_000), (1e-9, 1)):
        setting.save(usd)
        assert setting.limit() == Limit(amount, SETTINGS), usd
    assert BudgetSetting(file, {BUDGET_VARIABLE: " 3 "}).limit() == Limit(3_000_000, BUDGET_VARIABLE)
    for wrong in ("much", "-1", "nan", "inf", "1e12", "$5", "5,50", ""):
        if wrong:
            with pytest.raises(JobError, match=BUDGET_VARIABLE):
                BudgetSetting(file, {BUDGET_VARIABLE: wrong}).limit()
        file.write_text(wrong)
        with pytest.raises(JobError, match="Nothing was charged"):
            setting.limit()
    for value in (None, True, "5", [5], -1, float("nan"), float("inf"), 10**400):
        with pytest.raises(JobError):
            setting.save(value)


@on_both
def test_what_would_pass_the_limit_is_not_submitted_and_the_refusal_says_when_it_could_be(machine: FakeMachine) -> None:
    limited(machine, 0.10).run()
    bought = machine.records()[0].created
    assert machine.records()[0].estimate == 60_000
    assert machine.failed(BudgetReached, boat(2)) == (
        "Not submitted: this video costs about $0.06, and $0.06 of $0.10 have been spent in the last 24 hours. Nothing "
        f"was charged. Raise the limit in Settings > Seedance, or wait until {clock_minute(bought + DAY)}."
    )
    assert machine.service.count("submit") == len(machine.records()) == 1
    machine.clock.now = bought + DAY - machine.clock.offset
    machine.run(boat(2))
    said = limited(machine, 0.05).failed(BudgetReached, boat(3))
    assert said.endswith("Raise the limit in Settings > Seedance.")
    limited(machine, 0).run(boat(3))


@on_both
def test_what_is_paid_for_already_is_never_refused(machine: FakeMachine) -> None:
    limited(machine, 0.06).stopped("Generating")
    machine.failed(BudgetReached, boat(2))
    limited(machine, 0.01)
    assert machine.run().request_id == machine.run().request_id == "job-1"
    assert machine.service.count("submit") == 1


COUNTS = {
    **dict.fromkeys(State, 60_000),
    State.SURPLUS: 120_000,  # there is the other one beside it
    State.REFUSED: 0,
    State.CANCELLED: 0,
}


@on_both
def test_all_counts_but_what_was_refused_or_cancelled_at_its_cost_else_its_estimate(journal: Journal) -> None:
    for state, expected in COUNTS.items():
        record_in(state, journal)
        assert [price for _, price in journal.spent().videos] == [None] * (expected // 60_000), state
        execute(journal, "UPDATE paid_jobs SET estimate = 60000")
        assert journal.spent().amount == expected, state
        execute(journal, "UPDATE paid_jobs SET cost = 0.07")
        assert journal.spent().amount == expected / 60_000 * 70_000, state
        execute(journal, "DELETE FROM paid_jobs")


@on_both
def test_where_no_price_is_known_the_job_says_so_and_fifty_are_let_through(machine: FakeMachine) -> None:
    limited(machine, 5, ModelInfo(), cost=None).run()
    assert machine.said("the budget cannot be kept") == 1
    purchase = Purchase(None, Limit(5_000_000))
    for number in range(MAX_UNPRICED - 1):
        buy(machine.journal, number, purchase)
    bought = machine.records()[-1].created
    assert machine.failed(BudgetReached, boat(2)) == (
        "Not submitted: the price of this video is unknown, and so was that of 50 videos in the last 24 hours. Nothing "
        "was charged. Set the limit in Settings > Seedance to 0, which is no limit, or wait until "
        f"{clock_minute(bought + DAY)}."
    )
    limited(machine, 5).run(boat(2))
    said = limited(machine, 0.06, ModelInfo()).failed(BudgetReached, replace(BOAT, duration=3))
    assert "the price of this video is unknown, and" in said


def test_a_price_that_is_not_told_is_waited_for_a_few_seconds_and_only_where_it_matters(machine: FakeMachine) -> None:
    asked: Future[ModelInfo] = Future()
    for limit, seconds in ((Limit(0), 0), (Limit(1_000_000), PRICE_SECONDS)):
        machine.change(limit=partial(replace, limit), price=ListPrice(lambda: asked, machine.clock))
        begins = machine.clock.now
        machine.run(replace(BOAT, duration=3 if limit.amount else 4))
        submitted = next(at for kind, at in reversed(machine.service.calls) if kind == "submit")
        assert submitted - begins == pytest.approx(seconds, abs=0.5), limit


@on_both
def test_a_clock_that_is_set_neither_frees_nor_blocks_for_ever(new_machine: NewMachine) -> None:
    """The budget is spent, then somebody sets the clock once or twice, and 8 hours pass after each time."""
    for jumps in ((YEAR,), (-YEAR,), (YEAR, -YEAR), (-YEAR, YEAR), (-YEAR, -YEAR), (2 * DAY, -DAY), (-DAY / 2,)):
        for restarts in (False, True):
            if restarts and jumps[0] > 0:
                continue  # nobody can tell that from a machine that was off for so long
            machine, case = new_machine(), f"{jumps}, {restarts}"
            buy(machine.journal, 1, ONE)
            machine.clock.now += 10.0
            for jump in jumps:
                machine.clock.offset += jump
                if restarts:
                    machine.restart()
                assert not is_allowed(machine.journal, ONE), f"{case}: freed"
                assert machine.journal.spent().amount == 60_000, case
                machine.clock.now += DAY / 3
                assert not is_allowed(machine.journal, ONE), f"{case}: freed after hours"
            # A day after the clock was set, or after its new hands show that a day has passed since.
            machine.clock.now += 2 * DAY
            assert is_allowed(machine.journal, ONE), f"{case}: blocked for ever"


@on_both
def test_a_machine_that_is_put_to_rest_each_night_counts_a_video_for_a_day_of_its_own(machine: FakeMachine) -> None:
    """A virtual machine's clocks stand still meanwhile, and then one of them is set."""
    buy(machine.journal, 1, ONE)
    for allowed in (False, True):
        machine.clock.now += 13 * 3600
        assert is_allowed(machine.journal, ONE) is allowed
        machine.clock.offset += 11 * 3600
        assert is_allowed(machine.journal, ONE) is allowed


@on_both
def test_a_clock_that_is_set_back_does_not_count_all_that_was_ever_bought(machine: FakeMachine) -> None:
    purchase = Purchase(60_000, Limit(130_000))
    for number in range(10):
        buy(machine.journal, number, purchase)
        machine.clock.now += DAY
    machine.clock.offset -= YEAR
    machine.restart()
    assert machine.journal.spent().amount == 60_000
    assert is_allowed(machine.journal, purchase)


@on_both
def test_of_several_servers_that_see_the_clock_set_none_ages_what_another_has_aged(
    tmp_path: Path, clock: TurningClock, database: Callable[[], str]
) -> None:
    url = database()
    servers = [Journal(tmp_path / "jobs.sqlite3", clock, url) for _ in range(5)]
    for server in servers:
        go_by(clock, server)
    buy(servers[0], 1, Purchase(60_000))
    for hours, set_by in ((1, 0), (1, -5), (2.5, 0), (18, 0)):
        clock.now += hours * 3600
        clock.offset += set_by * 3600
        assert [server.spent().amount for server in servers] == [60_000] * 5, (hours, set_by)
    for server in servers:
        server.close()
