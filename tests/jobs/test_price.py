"""The list price: shown and kept where the service tells it, and never waited for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nodes.jobs.account import BEST_BEFORE, ListPrice, price_of
from nodes.jobs.events import Done, Generating, Queued
from nodes.jobs.waiting import Executors
from nodes.runcomfy.client import ApiRequest, RunComfy
from nodes.runcomfy.errors import ConnectError
from nodes.runcomfy.responses import ApiResponse, ModelInfo
from tests.support.fake_runcomfy import FakeMachine, TurningClock, let_rest, reply

PRICE = "$0.02 per second"


class ModelPage:
    """A service that has nothing but the model's page."""

    def __init__(self, *answers: ApiResponse | Exception) -> None:
        self._answers = list(answers)
        self.calls: list[ApiRequest] = []

    def send(self, request: ApiRequest, /, *, before_first_byte: Callable[[], None] | None = None) -> ApiResponse:
        self.calls.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def list_price(page: ModelPage, clock: TurningClock, executors: Executors) -> ListPrice:
    return ListPrice(RunComfy(page, "RUNCOMFY_API_TOKEN"), executors, clock)


def settled(price: ListPrice, executors: Executors) -> str:
    """What is known once the threads have nothing left to do."""
    price()
    let_rest(executors)
    return price()


@pytest.fixture
def executors() -> Executors:
    return Executors()


@pytest.mark.parametrize(
    ("model", "price"),
    [
        (ModelInfo(0.02, "second"), PRICE),
        (ModelInfo(0.0042, "per second"), "$0.0042 per second"),
        (ModelInfo(0.02), ""),
        (ModelInfo(None, "second"), ""),
    ],
)
def test_a_price_needs_an_amount_and_a_unit(model: ModelInfo, price: str) -> None:
    assert price_of(model) == price


def test_it_is_asked_once_and_anew_when_it_is_old(executors: Executors) -> None:
    clock = TurningClock()
    page = ModelPage(reply(base_price_usd=0.02, price_unit="second"), reply(base_price_usd=0.03, price_unit="second"))
    price = list_price(page, clock, executors)
    assert settled(price, executors) == PRICE
    assert settled(price, executors) == PRICE
    assert len(page.calls) == 1
    clock.now += BEST_BEFORE + 1
    assert settled(price, executors) == "$0.03 per second"


@pytest.mark.parametrize(
    "answer", [ConnectError("no connection"), reply(), reply(500), ApiResponse(200, {}, b"<html>")]
)
def test_nothing_is_shown_where_it_is_not_known(executors: Executors, answer: ApiResponse | Exception) -> None:
    assert settled(list_price(ModelPage(answer), TurningClock(), executors), executors) == ""


def test_the_user_reads_it_and_the_journal_keeps_it(machine: FakeMachine) -> None:
    machine.change(price=lambda: PRICE)
    video = machine.run()
    assert machine.said(f"s, {PRICE}") > 1
    assert video.price == PRICE
    assert [entry.price for entry in machine.records()] == [PRICE]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Queued(3, 12, PRICE), f"Queued, 3rd in line, 12 s, {PRICE}"),
        (Generating(34, 50, PRICE), f"Generating, 34 s of about 50 s, {PRICE}"),
        (Done(41, 121, 864, 480, 24, None, price=PRICE), f"Done in 41 s, 121 frames 864x480 at 24 fps, {PRICE}"),
        (Done(41, 121, 864, 480, 24, 0.1, price=PRICE), "Done in 41 s, 121 frames 864x480 at 24 fps, $0.10"),
        (Done(0, 121, 864, 480, 24, None, True, PRICE), "Loaded again for free, 121 frames 864x480 at 24 fps"),
    ],
)
def test_line(event: object, line: str) -> None:
    assert str(event) == line
