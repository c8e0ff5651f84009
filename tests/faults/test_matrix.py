"""Every call under every fault, on real sockets: nothing is bought twice, and the user reads the truth."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from math import inf
from pathlib import Path

import pytest

from nodes.jobs.errors import JobError, OutcomeUnknown, Stopped
from nodes.jobs.events import Event
from nodes.jobs.job import Video
from nodes.rehearsal import Timing, VideoRequest
from nodes.rehearsal.render import render
from nodes.runcomfy.errors import RejectedError
from nodes.video import download as fetch
from tests.faults.faults import ACTED_ON, FAULTS
from tests.faults.table import TABLE, Cell, Ending
from tests.support.faulty_service import FaultyService
from tests.support.postgres import on_both
from tests.support.real_engine import RealEngine, fast
from tests.support.rehearsal import RehearsalService

SPENDING = ("submit",)
"""The calls that are charged: in PostgreSQL the others only in `make faults`."""
FILM = VideoRequest(text="Any", duration=2)
ENDED_BY: dict[Ending, type[Exception] | tuple[type[Exception], ...]] = {
    Ending.REFUSED: RejectedError,
    Ending.UNKNOWN: OutcomeUnknown,
    Ending.ENDS: (RejectedError, JobError),
    Ending.STOPS: Stopped,
    Ending.CANCELS: Stopped,
}


@pytest.fixture(scope="module")
def service() -> Iterator[RehearsalService]:
    with RehearsalService(timing=Timing(queued=2, running=8, expiry=inf), clock=fast, video=FILM) as service:
        yield service


@pytest.fixture(autouse=True)
def hasty_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "TIMEOUTS", (5.0, 1.0))
    monkeypatch.setattr(fetch, "ATTEMPT_TIMEOUT", 2.0)


@on_both
def test_every_call_under_every_fault(
    service: RehearsalService, tmp_path: Path, database: Callable[[], str], request: pytest.FixtureRequest
) -> None:
    is_quick = "PostgreSQL" in request.node.name and not os.environ.get("ALL_FAULTS")
    film = render(FILM)
    endings: Counter[str] = Counter()
    most_bought = 0
    for call, cells in TABLE.items():
        assert set(cells) == set(FAULTS), call
        if is_quick and call not in SPENDING:
            continue
        for fault, cell in cells.items():
            name = f"{call}: {fault}"
            with (
                FaultyService(service) as door,
                closing(_MendingEngine(door, tmp_path / name, call, database())) as engine,
            ):
                before = len(service.submissions)
                door.arm(call, FAULTS[fault])
                try:
                    check_struck_run(name, cell, engine, door)
                    bought = len(service.submissions) - before
                    assert bought <= 1, name
                finally:
                    service.release()
                engine.stop_at = "\0"
                again = engine.run()
                assert isinstance(again, Video), (name, again)
                assert again.files[0].read_bytes() == film, name
                assert [file.suffix for file in engine.folder.glob("videos/*")] == [".mp4"] * len(again.files), name
                anew = cell.ending is Ending.CANCELS or (cell.ending is Ending.UNKNOWN and fault in ACTED_ON)
                assert len(service.submissions) - before == (2 if anew else 1), name
            endings[cell.ending.value] += 1
            most_bought = max(most_bought, bought)
    counted = ", ".join(f"{count} {ending}" for ending, count in sorted(endings.items()))
    all_cells = f"{endings.total()} cells ({counted})"
    print(f"Matrix in {request.node.callspec.id}: {all_cells}; jobs bought in one run: {most_bought} at most")


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
    """Opens a shut door as soon as the user is told that it was found shut. For a cancel, presses Stop in the queue."""

    def __init__(self, door: FaultyService, folder: Path, call: str, journal_url: str) -> None:
        super().__init__(door.origin, folder, journal_url=journal_url)
        self._door = door
        if call == "cancel":
            self.stop_at = "Queued"
            door.real.hold()

    def show(self, event: Event) -> None:
        super().show(event)
        if self.stopping and self._door.refuses("cancel"):
            self._door.shut()
        elif "Trying again" in str(event):
            self._door.open_again()
