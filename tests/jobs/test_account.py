"""What the jobs of an account share: a limit that the service states once, and its list price."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from random import Random

import pytest

from nodes.jobs.quote import BEST_BEFORE, RETRY_AFTER, ListPrice, price_of
from nodes.jobs.waiting import MAX_RETRY_AFTER, Backoff, Executors, RateLimiter
from nodes.runcomfy.client import ApiRequest, RunComfy
from nodes.runcomfy.errors import ConnectError, RateLimited
from nodes.runcomfy.responses import ApiResponse, ModelInfo
from tests.support.fake_runcomfy import FakeMachine, TurningClock, let_rest, reply

PATIENCE = 30.0
PRICE = "$0.02 per second"


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


def test_of_many_calls_at_once_those_under_way_find_out_and_the_others_are_not_made(rate_limiter: RateLimiter) -> None:
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


class ModelPage:
    """A service that has nothing but the model's page, and who asks it for the price."""

    def __init__(self, clock: TurningClock, *answers: ApiResponse | Exception) -> None:
        self.answers, self._executors = list(answers), Executors()
        model_info = RunComfy(self, "RUNCOMFY_API_TOKEN").model_info
        self.price = ListPrice(partial(self._executors.calls.submit, model_info), clock)

    def ask(self) -> str:
        self.price.answer()
        let_rest(self._executors)
        return self.price.text()

    def send(self, request: ApiRequest, /, *, before_first_byte: Callable[[], None] | None = None) -> ApiResponse:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_price_needs_an_amount_and_a_unit() -> None:
    prices = {
        ModelInfo(0.02, "second"): PRICE,
        ModelInfo(0.0042, "per second"): "$0.0042 per second",
        ModelInfo(0.02): "",
        ModelInfo(None, "second"): "",
    }
    for model, price in prices.items():
        assert price_of(model) == price, model


def test_the_price_is_asked_once_and_anew_when_it_is_old_and_nothing_is_shown_where_it_is_not_known(
    clock: TurningClock,
) -> None:
    unknown = (ConnectError("no connection"), reply(), reply(500), ApiResponse(200, {}, b"<html>"))
    page = ModelPage(clock, *unknown, *(reply(base_price_usd=usd, price_unit="second") for usd in (0.02, 0.03)))
    for expected in ("", "", "", "", PRICE, "$0.03 per second"):
        left = len(page.answers)
        for _ in range(2):
            assert page.ask() == expected, left
        assert len(page.answers) == left - 1
        clock.now += BEST_BEFORE + 1


def test_a_service_that_did_not_answer_is_asked_again_soon_but_not_by_every_job(clock: TurningClock) -> None:
    page = ModelPage(clock, ConnectError("no connection"), reply(base_price_usd=0.02, price_unit="second"))
    for seconds, left in ((0, 1), (RETRY_AFTER, 1), (1, 0), (BEST_BEFORE, 0)):
        clock.now += seconds
        said = page.ask()
        assert len(page.answers) == left, seconds
    assert said == PRICE


def test_the_user_reads_the_price_and_the_journal_keeps_it(machine: FakeMachine) -> None:
    told: Future[ModelInfo] = Future()
    told.set_result(ModelInfo(0.02, "second"))
    machine.change(price=ListPrice(lambda: told, machine.clock))
    video = machine.run()
    assert machine.said(f"s, {PRICE}") > 1
    assert [video.price, *(entry.price for entry in machine.records())] == [PRICE, PRICE]
