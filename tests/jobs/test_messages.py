"""What a user reads of a job that did not come to a video: what helps here, and whether it was charged."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nodes.jobs.errors import DeadlinePassed, JournalUnusable, VideoUnavailable
from nodes.video.errors import DiskFailure, DownloadInterrupted, UnsafeUrl, VideoError
from tests.support.fake_runcomfy import BOAT, FakeMachine, reply
from tests.support.tiny_mp4 import TINY_MP4

ANOTHER = replace(BOAT, text="Another boat")
CURES = {
    "database or disk is full": "Free some space",
    "No space left on device": "Free some space",
    "attempt to write a readonly database": "--user-directory on a drive that is",
    "Read-only file system": "--user-directory on a drive that is",
    "Permission denied": "writable",
    "unable to open database file": "writable",
    "database is locked": "--user-directory on a local one",
    "it has been in use for too long": "--user-directory on a local one",
    "disk I/O error": "--user-directory on a local one",
    "Zugriff verweigert": "writable",
    "file is not a database": "Move the file away",
    "database disk image is malformed": "Move the file away",
    "it was deleted or moved away while it was in use": "Put it back",
    "it was written by a newer version of this pack": "Update this pack",
    "an older version of this pack is still running and uses it": "End it",
}
"""What SQLite and systems say of a journal, and what helps."""


def test_each_fault_of_the_journal_has_its_own_advice() -> None:
    for reason, cure in CURES.items():
        error = JournalUnusable("jobs.sqlite3", reason)
        assert cure in error.advice, reason
        assert f"({reason}): jobs.sqlite3. Nothing was charged." in str(error)
        assert "can still be loaded with Load Seedance Video" in error.advice


def test_a_journal_that_may_only_be_read_finds_what_was_bought_and_lets_nothing_be_bought(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = machine.run()
    connect = sqlite3.dbapi2.connect

    def only_to_read(file: str, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(f"{Path(file).as_uri()}?mode=ro", uri=True, **options)
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3.dbapi2, "connect", only_to_read)
        machine.restart()
        assert machine.run().files == video.files
        assert [record.request_id for record in machine.records()] == ["job-1"]
        for request, reuse in ((BOAT, False), (ANOTHER, True)):
            with pytest.raises(JournalUnusable, match=r"readonly.* Nothing was charged\."):
                machine.run(request, reuse=reuse)
    assert machine.service.count("submit") == 1
    machine.restart()
    assert machine.run(ANOTHER).request_id == "job-2"


def test_what_ends_a_download_is_said_before_its_advice_and_that_it_was_charged(machine: FakeMachine) -> None:
    for fault, first in (
        (UnsafeUrl("video.unsafe", reason="why"), "Check the proxy, VPN and DNS"),
        (VideoError("video.badStatus", status=418), "Check the proxy, VPN and DNS"),
        (DiskFailure("video.diskFull", folder="a"), "Free some in a and run again. Run"),
    ):
        machine.downloads.append(fault)
        with pytest.raises(VideoUnavailable) as caught:
            machine.run()
        said = str(caught.value)
        assert said.startswith(f"{fault.message} The job succeeded and was charged. {first}"), fault
        assert "Run the same graph again to fetch its video, without a new charge. Request id: job-1." in said
        assert not {"Use a local file", "Check the link"} & set(said.split(". ")), fault
    assert len(machine.links) == 3, "what no repeat can mend ends at once"
    assert machine.states() == ["succeeded"]
    assert machine.run().files[0].read_bytes() == TINY_MP4


def test_after_the_deadline_nothing_is_tried_again_and_a_finished_job_counts_as_charged(machine: FakeMachine) -> None:
    machine.service.script["status"] += [reply(500)] * 500
    with pytest.raises(DeadlinePassed, match=r"\(RunComfy answered with HTTP 500\)\. RunComfy had already accepted"):
        machine.run()
    machine.service.script["status"].clear()
    machine.downloads += [DownloadInterrupted("time-out")] * 500
    with pytest.raises(
        VideoUnavailable, match=r"within 30 minutes \(.*\(time-out\)\)\. The job succeeded and was charged"
    ):
        machine.run()
    machine.downloads.clear()
    assert machine.run().request_id == "job-1"


def test_a_folder_that_cannot_be_listed_just_now_ends_no_job(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Any = Path.glob

    def fail(self: Path, pattern: str) -> Any:
        if pattern.endswith(".part"):
            raise OSError(5, os.strerror(5), str(self))
        return real(self, pattern)

    monkeypatch.setattr(Path, "glob", fail)
    assert machine.run().files[0].read_bytes() == TINY_MP4
