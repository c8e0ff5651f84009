"""What a run is said to cost is what it then does cost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from nodes.jobs.errors import JobFailed, OutcomeUnknown
from nodes.jobs.quote import REFRESH_SECONDS, RETRY_SECONDS, ListPrice, Quote, QuoteKind, quote
from nodes.jobs.records import Order, RequestKey, State
from nodes.runcomfy.errors import ConnectError, ReadError
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.responses import ModelInfo
from tests.support.fake_runcomfy import BOAT, TurningClock
from tests.support.machine import FakeMachine, NewMachine

PRICE = ModelInfo(0.02, "second")
BASE = Quote(QuoteKind.PRICE, 1, 1, 40_000, is_base=True)
BOUGHT = Quote(QuoteKind.PRICE, 1, 1, 30_000)


def quoted(machine: FakeMachine, *requests: GenerationRequest, reuse: bool = True, price: ModelInfo = PRICE) -> Quote:
    account, run_key = machine.account, "" if reuse else "a new run"
    key = partial(RequestKey.of, account="", origin=account.origin)
    orders = [Order(request, key(request), run_key) for request in requests]
    return quote(orders, account.claims, account.folder, lambda: price)


def test_a_price_is_what_the_latest_job_of_the_kind_has_cost_else_the_lists_else_none(machine: FakeMachine) -> None:
    assert quoted(machine, BOAT, price=ModelInfo()) == Quote(QuoteKind.UNKNOWN, 1, 1, None)
    assert quoted(machine, BOAT) == BASE
    for number, cost in enumerate((0.05, 0.03)):
        machine.service.ending["cost"] = cost
        machine.run(replace(BOAT, seed=number))
    assert quoted(machine, BOAT) == quoted(machine, BOAT, price=ModelInfo()) == BOUGHT
    longer = replace(BOAT, duration=5)
    assert quoted(machine, BOAT, longer) == Quote(QuoteKind.PRICE, 2, 2, 130_000, is_base=True)
    assert quoted(machine, BOAT, longer, price=ModelInfo()) == Quote(QuoteKind.UNKNOWN, 2, 2, None)


def test_what_is_there_is_free_and_of_several_videos_the_others_are_paid(machine: FakeMachine) -> None:
    (file,) = machine.run().files
    made = Quote(QuoteKind.MADE, 1)
    another = replace(BOAT, seed=5)
    assert quoted(machine, BOAT) == made
    assert quoted(machine, BOAT, another) == Quote(QuoteKind.PRICE, 2, 1, 30_000)
    assert quoted(machine, BOAT, reuse=False) == BOUGHT
    content = file.read_bytes()
    file.unlink()
    assert quoted(machine, BOAT) == made, "it can be fetched again"
    machine.journal.transition(machine.records()[0], State.EXPIRED)
    assert quoted(machine, BOAT) == BOUGHT, "it cannot any more"
    file.write_bytes(content)
    assert quoted(machine, BOAT) == made, "the drive is back"


def stopped_while_generating(machine: FakeMachine) -> None:
    machine.stopped("Generating")


def failed(machine: FakeMachine) -> None:
    machine.service.ending.update(status="failed", error="no")
    machine.failed(JobFailed)
    machine.service.ending["status"] = "succeeded"


def unclear(machine: FakeMachine) -> None:
    machine.service.script["submit"].append(ReadError("reset"))
    machine.failed(OutcomeUnknown)


BEFORE: dict[Callable[[FakeMachine], object], dict[bool, Quote]] = {
    stopped_while_generating: {True: Quote(QuoteKind.RUNNING, 1), False: Quote(QuoteKind.RUNNING, 1)},
    failed: {True: BASE, False: BASE},
    unclear: {True: BASE, False: BASE},
}
"""What has happened, and what is quoted with `reuse` and without."""


def test_a_quote_for_nothing_is_kept_and_looking_at_it_costs_nothing(new_machine: NewMachine) -> None:
    for begin, expected in BEFORE.items():
        for reuse, answer in expected.items():
            machine = new_machine()
            begin(machine)
            submitted, calls = machine.service.count("submit"), len(machine.service.calls)
            assert quoted(machine, BOAT, reuse=reuse) == answer, f"{begin.__name__}, {reuse}"
            assert len(machine.service.calls) == calls
            machine.run(reuse=reuse)
            assert machine.service.count("submit") - submitted == answer.to_buy, f"{begin.__name__}, {reuse}"


def test_what_another_run_is_at_work_on_is_being_made_for_whoever_wants_the_same(machine: FakeMachine) -> None:
    quotes: list[Quote] = []
    machine.service.before["status"] = lambda: quotes.extend(
        quoted(machine, BOAT, reuse=reuse) for reuse in (True, False)
    )
    machine.run()
    assert quotes[:2] == [Quote(QuoteKind.RUNNING, 1), BASE]


LIST_PRICE = "$0.02 per second"


def answered(answer: ModelInfo | Exception) -> Future[ModelInfo]:
    future: Future[ModelInfo] = Future()
    future.set_exception(answer) if isinstance(answer, Exception) else future.set_result(answer)
    return future


def test_the_price_is_asked_once_and_anew_when_it_is_old_and_nothing_is_shown_where_it_is_not_known(
    clock: TurningClock,
) -> None:
    """After a failure soon, but not by every job; meanwhile the budget can be kept by an old price."""
    fault, dearer = ConnectError("no connection"), ModelInfo(0.0042, "per second")
    answers: list[ModelInfo | Exception] = [fault, ModelInfo(0.02), PRICE, fault, dearer, ModelInfo(None, "second")]
    price = ListPrice(lambda: answered(answers.pop(0)), clock)
    for seconds, expected, left in (
        (0.0, "", 5),
        (RETRY_SECONDS, "", 5),
        (1.0, "", 4),
        (REFRESH_SECONDS, "", 4),
        (1.0, LIST_PRICE, 3),
        (REFRESH_SECONDS + 1, LIST_PRICE, 2),
        (RETRY_SECONDS + 1, "$0.0042 per second", 1),
        (REFRESH_SECONDS + 1, "", 0),
    ):
        clock.now += seconds
        assert (price.text(), len(answers)) == (expected, left), seconds


def test_the_user_reads_the_price_and_the_journal_keeps_it(machine: FakeMachine) -> None:
    machine.change(price=ListPrice(lambda: answered(PRICE), machine.clock))
    video = machine.run()
    assert machine.said(f"s, {LIST_PRICE}") > 1
    assert [video.price, *(entry.price for entry in machine.records())] == [LIST_PRICE, LIST_PRICE]
