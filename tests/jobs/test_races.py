"""The guards of money hold when many threads of many processes do the same at the same moment, again and again.

First of all they make the tables, which must not fail either."""

from __future__ import annotations

import faulthandler
import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from nodes.jobs.budget import Limit, Purchase
from nodes.jobs.claims import Claims
from nodes.jobs.decide import Do, Situation, decide
from nodes.jobs.errors import BudgetReached
from nodes.jobs.journal import Journal
from nodes.jobs.records import TRANSITIONS, Order, RequestKey, State
from nodes.jobs.waiting import Clock
from tests.support.fake_runcomfy import BOAT
from tests.support.postgres import on_both

ROUNDS, PROCESSES, THREADS, VIDEOS = 30, 4, 4, 5
PATIENCE = 60.0
"""Seconds without a step after which the whole counts as a deadlock."""
spawning = multiprocessing.get_context("spawn")


@dataclass
class Racer:
    """One thread."""

    number: int
    """0 prepares what the others race for."""
    journal: Journal
    claims: Claims
    barrier: Barrier

    def run(self) -> Counter[str]:
        """All rounds; how often this thread was the one, by what for and by round."""
        won: Counter[str] = Counter()
        for number in range(ROUNDS):
            bought, raced = (RequestKey(f"{kind} {number}", "account", "") for kind in ("bought", "raced"))
            faulthandler.dump_traceback_later(PATIENCE)  # for whoever asks why nothing moves; put off by every round
            self.barrier.wait(PATIENCE)
            won[f"bought {number}"] += self._buy(bought)
            self.barrier.wait(PATIENCE)
            if self.number == 0:
                self.journal.accept(self.journal.of_request(bought)[0], f"bought-{number}")
                assert self._buy(raced)
            self.barrier.wait(PATIENCE)
            won[f"paid {number}"] += self._pay(number)
            won[f"claimed {number}"] += self._claim(bought)
            if self.number == 1:
                self.journal.accept(self.journal.of_request(raced)[-1], f"raced-{number}")
            else:
                self._give_up_and_buy_over(raced)
        return won

    def _buy(self, key: RequestKey) -> bool:
        """Decide and write an intent, as a run does; whether this thread was the one."""
        while True:
            records = self.journal.of_request(key)
            if decide(records, Situation(self.journal.now())).do is not Do.SUBMIT:
                return False
            if self.journal.create(Order(BOAT, key), records, ""):
                return True

    def _pay(self, number: int) -> bool:
        """Buy a video of one's own, of which each round's budget allows for a few."""
        key = RequestKey(f"{number} {self.number}", "account", "")
        purchase = Purchase(40_000, Limit((number + 1) * VIDEOS * 40_000))
        try:
            return self.journal.create(Order(BOAT, key), [], "", purchase) is not None
        except BudgetReached:
            return False

    def _claim(self, key: RequestKey) -> bool:
        (record,) = self.journal.of_request(key)
        return self.claims.acquire(record, self.claims.register(lambda: False)) is not None

    def _give_up_and_buy_over(self, key: RequestKey) -> None:
        """What others may do while the acceptance is on its way: take the call for lost, report it, submit anew."""
        for to in (State.UNKNOWN, State.UNKNOWN_REPORTED):
            record = self.journal.of_request(key)[-1]
            if to in TRANSITIONS[record.state]:
                self.journal.transition(record, to)
        self._buy(key)


def compete(process: int, barrier: Barrier, results: Queue[object], file: Path, url: str) -> None:
    """One process: hands over what its threads have won, or what went wrong first."""
    journal = Journal(file, Clock(), url)
    claims = Claims(journal)

    def run(number: int) -> Counter[str]:
        try:
            return Racer(number, journal, claims, barrier).run()
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(THREADS) as executor:
        futures = [executor.submit(run, process * THREADS + number) for number in range(THREADS)]
        errors = [error for future in futures if (error := future.exception())]
    broken = [error for error in errors if not isinstance(error, threading.BrokenBarrierError)] or errors
    results.put(repr(broken[0]) if broken else sum((future.result() for future in futures), Counter[str]()))
    faulthandler.cancel_dump_traceback_later()
    claims.close()
    journal.close()


def race(file: Path, url: str) -> Counter[str]:
    """What the threads of all processes have won together."""
    barrier, results = spawning.Barrier(PROCESSES * THREADS), spawning.Queue()
    started = [
        spawning.Process(target=compete, args=(number, barrier, results, file, url), daemon=True)
        for number in range(PROCESSES)
    ]
    for process in started:
        process.start()
    won: Counter[str] = Counter()
    for _ in started:
        part = results.get(timeout=2 * PATIENCE)
        assert isinstance(part, Counter), part
        won.update(part)
    for process in started:
        process.join(PATIENCE)
        assert process.exitcode == 0
    return won


@on_both
def test_of_all_that_race_one_buys_one_claims_as_many_pay_as_the_budget_is_for_and_no_id_is_lost(
    tmp_path: Path, database: Callable[[], str]
) -> None:
    file, url = tmp_path / "jobs.sqlite3", database()
    won = race(file, url)
    journal = Journal(file, Clock(), url)
    for number in range(ROUNDS):
        for what, expected in (("bought", 1), ("claimed", 1), ("paid", VIDEOS)):
            assert won[f"{what} {number}"] == expected, f"{what} {won[f'{what} {number}']} times in round {number}"
        assert len(journal.of_request(RequestKey(f"bought {number}", "account", ""))) == 1, number
        records = journal.of_request(RequestKey(f"raced {number}", "account", ""))
        kept = [record for record in records if record.request_id]
        assert [record.request_id for record in kept] == [f"raced-{number}"], records
        assert kept[0].state in (State.ACCEPTED, State.SURPLUS), kept
    journal.close()
