"""Every call under every fault, on real sockets: nothing is bought twice, and the user reads the truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from nodes.jobs.errors import JobError, OutcomeUnknown, Stopped
from nodes.jobs.events import Event
from nodes.jobs.job import Video
from nodes.rehearsal import Timing
from nodes.runcomfy.errors import RejectedError
from nodes.video import download as fetch
from tests.faults.faults import FAULTS
from tests.faults.figures import Figures
from tests.faults.table import TABLE, Ending
from tests.support.faulty_service import PATIENCE, FaultyService
from tests.support.real_engine import RealEngine, fast
from tests.support.rehearsal import RehearsalService

CELLS = [(call, fault) for call in TABLE for fault in FAULTS]
ENDED_BY: dict[Ending, type[Exception] | tuple[type[Exception], ...]] = {
    Ending.REFUSED: RejectedError,
    Ending.UNKNOWN: OutcomeUnknown,
    Ending.ENDS: (RejectedError, JobError),
    Ending.STOPS: Stopped,
    Ending.CANCELS: Stopped,
}
ACTED_ON = {
    "reset after reading",
    "reset in mid-body",
    "end in mid-body",
    "time-out",
    "slow trickle",
    "empty body",
    "HTML",
    "truncated JSON",
    "wrong types",
    "unknown word",
}
"""The faults that strike after the service has done what it was asked."""


@pytest.fixture(scope="module")
def service() -> Iterator[RehearsalService]:
    with RehearsalService(timing=Timing(queued=2, running=8), clock=fast) as service:
        yield service


@pytest.fixture(scope="module")
def film(service: RehearsalService, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The only film there is. Made beforehand, so that all other jobs take as long as they should."""
    engine = RealEngine(service.origin, tmp_path_factory.mktemp("film"))
    assert isinstance(engine.run(), Video)
    engine.close()
    reply = requests.get(f"{service.origin}/media/{service.submissions[0].request_id}.mp4", timeout=PATIENCE)
    assert reply.ok
    return reply.content


@pytest.fixture(autouse=True)
def hasty_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "TIMEOUTS", (5.0, 0.4))
    monkeypatch.setattr(fetch, "ATTEMPT_TIMEOUT", 0.8)


def test_the_table_is_complete() -> None:
    for call, cells in TABLE.items():
        assert set(cells) == set(FAULTS), call


@pytest.mark.parametrize(("call", "fault"), CELLS, ids=[f"{call}: {fault}" for call, fault in CELLS])
def test_cell(call: str, fault: str, service: RehearsalService, film: bytes, tmp_path: Path, figures: Figures) -> None:
    cell = TABLE[call][fault]
    with FaultyService(service) as door:
        engine = _MendingRig(door, tmp_path, call)
        before = len(service.submissions)
        door.arm(call, FAULTS[fault])
        try:
            outcome = engine.run()
            door.open_again()
            bought = len(service.submissions) - before
            assert door.struck == 1, "the fault did not strike"
            assert any(cell.reads in line for line in engine.lines), engine.lines
            assert bought <= 1
            if cell.ending is Ending.GOES_ON:
                assert isinstance(outcome, Video), outcome
            else:
                assert isinstance(outcome, ENDED_BY[cell.ending]), outcome
            if cell.ending is Ending.ENDS:
                assert service.submissions[-1].request_id in str(outcome)

            engine.stop_at = "\0"
            service.release()
            again = engine.run()
            assert isinstance(again, Video), again
            assert again.files[0].read_bytes() == film
            assert [path.name for path in (tmp_path / "videos").iterdir() if path.suffix == ".part"] == []
            assert len(service.submissions) - before == _bought_in_all(fault, cell.ending)
        finally:
            service.release()
            engine.close()
    figures.matrix(cell.ending.value, bought)


def _bought_in_all(fault: str, ending: Ending) -> int:
    """Jobs that the service accepted in the struck run and the next one together."""
    anew = ending is Ending.CANCELS or (ending is Ending.UNKNOWN and fault in ACTED_ON)
    return 2 if anew else 1


class _MendingRig(RealEngine):
    """Opens a shut door as soon as the user is told that it was found shut. For a cancel, presses Stop in the queue."""

    def __init__(self, door: FaultyService, folder: Path, call: str) -> None:
        super().__init__(door.origin, folder)
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
