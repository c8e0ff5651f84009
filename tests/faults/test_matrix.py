"""Every call under every fault, on real sockets: nothing is bought twice, and the user reads the truth."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from nodes.jobs.errors import JobError, OutcomeUnknown, Stopped
from nodes.jobs.events import Event
from nodes.jobs.job import Video
from nodes.rehearsal import Timing
from nodes.rehearsal.render import render
from nodes.runcomfy.errors import RejectedError
from nodes.video import download as fetch
from tests.faults.faults import ACTED_ON, FAULTS
from tests.faults.table import TABLE, Cell, Ending
from tests.support.faulty_service import FaultyService
from tests.support.postgres import on_both
from tests.support.real_engine import RealEngine, fast
from tests.support.rehearsal import SMALL, RehearsalService

SPENDING = ("submit",)
"""The calls that are charged: in PostgreSQL the others only in `make faults`."""
SIDE_BY_SIDE = 6
"""Cells at once, which wait most of the time."""
TIMING = Timing(queued=2, running=8)
ENDED_BY: dict[Ending, type[Exception] | tuple[type[Exception], ...]] = {
    Ending.REFUSED: RejectedError,
    Ending.UNKNOWN: OutcomeUnknown,
    Ending.ENDS: (RejectedError, JobError),
    Ending.STOPS: Stopped,
    Ending.CANCELS: Stopped,
}


@on_both
def test_every_call_under_every_fault(
    tmp_path: Path, database: Callable[[], str], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "TIMEOUTS", (5.0, 1.0))
    monkeypatch.setattr(fetch, "ATTEMPT_TIMEOUT", 2.0)
    kind = request.node.callspec.id
    is_quick = kind == "PostgreSQL" and not os.environ.get("ALL_FAULTS")
    calls = [call for call in TABLE if call in SPENDING or not is_quick]
    film = render(SMALL)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        lives = []
        for call in calls:
            assert set(TABLE[call]) == set(FAULTS), call
            for fault, cell in TABLE[call].items():
                place = (tmp_path / f"{call} {fault}", database(), film)
                lives.append((threads.submit(jobs_bought, call, fault, cell, *place), cell))
    most_bought = max(life.result() for life, _ in lives)
    endings = Counter(cell.ending.value for _, cell in lives)
    counted = ", ".join(f"{count} {ending}" for ending, count in sorted(endings.items()))
    print(f"Matrix in {kind}: {len(lives)} cells ({counted}); jobs bought in one run: {most_bought} at most")


def jobs_bought(call: str, fault: str, cell: Cell, folder: Path, journal_url: str, film: bytes) -> int:
    """A run in which the fault strikes, and a healthy one; how many jobs the first one bought."""
    with (
        RehearsalService(timing=TIMING, clock=fast, make=lambda *_: film) as service,
        FaultyService(service) as door,
        closing(_MendingEngine(door, folder, call, journal_url)) as engine,
    ):
        name = folder.name
        door.arm(call, FAULTS[fault])
        check_struck_run(name, cell, engine, door)
        bought = len(service.submissions)
        assert bought <= 1, name
        service.release()
        engine.stop_at = "\0"
        again = engine.run()
        assert isinstance(again, Video), (name, again)
        assert again.files[0].read_bytes() == film, name
        assert [file.suffix for file in folder.glob("videos/*")] == [".mp4"] * len(again.files), name
        anew = cell.ending is Ending.CANCELS or (cell.ending is Ending.UNKNOWN and fault in ACTED_ON)
        assert len(service.submissions) == (2 if anew else 1), name
        return bought


def check_struck_run(name: str, cell: Cell, engine: RealEngine, door: FaultyService) -> None:
    """One run, in which the fault strikes."""
    outcome = engine.run()
    door.open_again()
    assert door.struck == 1, f"{name}: the fault did not strike, but {outcome}"
    assert any(cell.reads in line for line in engine.lines), (name, engine.lines)
    if cell.ending is Ending.GOES_ON:
        assert isinstance(outcome, Video), (name, outcome)
    else:
        assert isinstance(outcome, ENDED_BY[cell.ending]), (name, outcome)
    if cell.ending is Ending.ENDS:
        assert door.real.submissions[-1].request_id in str(outcome), name


class _MendingEngine(RealEngine):
    """Opens a shut door as soon as the user reads that it was found shut. For a cancel, presses Stop in the queue."""

    def __init__(self, door: FaultyService, folder: Path, call: str, journal_url: str) -> None:
        super().__init__(door.origin, folder, journal_url=journal_url)
        self._door = door
        if call == "cancel":
            self.stop_at = "Queued"
            door.real.hold()

    def show(self, event: Event) -> None:
        super().show(event)
        if self.stop_pressed and self._door.refuses("cancel"):
            self._door.shut()
        elif "Trying again" in str(event):
            self._door.open_again()
