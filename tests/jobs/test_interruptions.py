"""Stop, the end of the graph, and a journal that refuses: at every place of a run that there is."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from nodes.jobs.errors import JournalUnusable, OutcomeUnknown, Stopped
from nodes.jobs.job import Video
from tests.support.machine import FakeMachine, NewMachine


def then_the_video(machine: FakeMachine) -> int:
    """Run until there is a video; how often an unclear outcome was reported until then."""
    reported = 0
    for _ in range(4):
        try:
            machine.run()
        except OutcomeUnknown:
            reported += 1
        except JournalUnusable:
            pass
        else:
            return reported
    raise AssertionError("no video")


def check(machine: FakeMachine, where: str, reported: int = 0) -> None:
    """Nothing was bought twice but what was reported, and every job is in the journal."""
    reported += then_the_video(machine)
    paid = set(machine.service.accepted) - machine.service.cancelled
    assert len(paid) <= 1 + reported, where
    assert set(machine.service.accepted) <= {record.request_id for record in machine.records()}, where


def test_stop_at_every_look_tells_the_truth(new_machine: NewMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in itertools.chain(range(1, 60), itertools.count(60, 23)):
        machine, looks = new_machine(), itertools.count(1)
        monkeypatch.setattr(machine, "stop", lambda looks=looks, place=place: next(looks) >= place)
        try:
            machine.run()
        except Stopped as stopped:
            said = str(stopped)
        else:
            assert place > 60
            return
        machine.records()
        accepted, cancelled = set(machine.service.accepted), machine.service.cancelled
        if "before anything was submitted" in said:
            assert not accepted, (place, said)
        elif "Nothing was charged" in said:
            assert accepted == cancelled, (place, said)
        else:
            assert any(job in said for job in accepted), (place, said)
        monkeypatch.setattr(machine, "stop", lambda: False)
        check(machine, f"Stop at look {place}: {said}")


def test_the_graph_ends_at_every_turn_of_the_loop(new_machine: NewMachine) -> None:
    async def cut_off(machine: FakeMachine, turns: int) -> bool:
        run = asyncio.ensure_future(machine.generate())
        for _ in range(turns):
            await asyncio.sleep(0)
            await asyncio.wait({run}, timeout=0.001)
        run.cancel()
        return isinstance((await asyncio.gather(run, return_exceptions=True))[0], Video)

    for turns in itertools.count():
        machine = new_machine()
        ended = asyncio.run(cut_off(machine, turns))
        assert not machine.service.count("cancel"), "a sibling's failure is no reason to give up what is paid"
        check(machine, f"cut off after {turns} turns")
        if ended:
            return


def test_the_journal_refuses_once_at_every_use(new_machine: NewMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in itertools.count(1):
        machine, uses = new_machine(), itertools.count(1)
        transact = machine.journal.database.transact

        def refuse(
            work: Any, transact: Any = transact, uses: itertools.count[int] = uses, place: int = place
        ) -> object:
            if next(uses) == place:
                raise JournalUnusable("the journal", "as the test wants it")
            return transact(work)

        monkeypatch.setattr(machine.journal.database, "transact", refuse)
        reported = then_the_video(machine)
        monkeypatch.setattr(machine.journal.database, "transact", transact)
        check(machine, f"refused at use {place}", reported)
        if next(uses) < place:
            return
