"""What a user reads of a job that did not come to a video: what helps here, and whether it was charged."""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nodes.errors import SeedanceError
from nodes.jobs.download import MAX_LINK_REFRESHES
from nodes.jobs.errors import (
    JobError,
    JobExpired,
    JobFailed,
    JournalUnusable,
    OutcomeUnknown,
    VideoUnavailable,
)
from nodes.jobs.events import clock_time
from nodes.jobs.runner import CONNECT_ATTEMPTS
from nodes.runcomfy.errors import ConnectError, RateLimited, ReadError, RejectedError
from nodes.runcomfy.responses import ApiResponse
from nodes.video.errors import DiskFailure, DownloadInterrupted, LinkExpired, UnsafeUrl, VideoError
from tests.support.fake_runcomfy import BOAT, Answer, TurningClock, reply
from tests.support.machine import FakeMachine, NewMachine
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


GATEWAY = ApiResponse(404, {}, b"<html><h1>404 Not Found</h1></html>")
CANCELLED: dict[str, list[Answer]] = {kind: [reply(status="cancelled")] for kind in ("status", "result")}
NO_LINK = {"status": "succeeded", "output": {}}


@dataclass(frozen=True)
class End:
    """How a run ends without a video, by what goes wrong in it; the first job of its request is bought at 0 s."""

    error: type[SeedanceError]
    says: tuple[str, ...]
    """What the user reads, among other things."""
    state: str
    """Of the job, in the journal."""
    then: str
    """The job that brings the video to the next run, which finds all well."""
    script: dict[str, list[Answer]] = field(default_factory=dict)
    """What calls are answered instead of the truth."""
    ending: Mapping[str, object] | None = None
    """What the service says that the job has come to."""
    forgotten: str = ""
    """The kind of call at which the service has forgotten the job."""
    downloads: tuple[Exception, ...] = ()
    deadline: float = 1800.0
    calls: tuple[str, int] = ("submit", 1)
    """A kind of call, and how often it is made; "link" for those to where the video is."""
    never_says: tuple[str, ...] = ()


def unclear(seconds: float, *before: Answer) -> End:
    when = clock_time(TurningClock().wall() + seconds)
    advice = ("It may have been charged.", "Generations page", "Link id", "run the same graph again")
    says, answers = (when, BOAT.text, *advice), [*before, ReadError("connection lost")]
    return End(OutcomeUnknown, says, "told", "job-1", {"submit": answers}, calls=("submit", len(answers)))


def not_sent(error: type[SeedanceError], says: str, answers: list[Answer]) -> End:
    calls = ("submit", len(answers))
    return End(error, (says, "Nothing was charged."), "refused", "job-1", {"submit": answers * 2}, calls=calls)


def forgotten(kind: str) -> End:
    says = ("no longer has this job", "anew, which is charged", "job-1")
    return End(JobExpired, says, "forgotten", "job-2", forgotten=kind)


def failed(reason: object, *says: str, **changes: Any) -> End:
    ending = {"status": "failed", "error": reason}
    return End(JobFailed, (*says, "Request id: job-1"), "failed", "job-2", ending=ending, **changes)


def refused(reason: object) -> End:
    return failed(reason, "content check refused this prompt", "Rephrase the text", never_says=("a new job",))


def late(last: str, *says: str, deadline: float = 1800.0, **changes: Any) -> End:
    says = (last, "may charge for it", "job-1", *says)
    return End(JobError, says, "accepted", "job-1", deadline=deadline, **changes)


def not_fetched(*downloads: Exception, says: tuple[str, ...], **changes: Any) -> End:
    paid = ("succeeded and was charged", "Run the same graph again to fetch its video, without a new charge.", "job-1")
    return End(VideoUnavailable, (*says, *paid), "succeeded", "job-1", downloads=downloads, **changes)


def ended_at_once(fault: VideoError, advice: str) -> End:
    says = (f"{fault.message} The job succeeded and was charged. {advice}",)
    # Those are for who has chosen a link.
    return not_fetched(fault, says=says, calls=("link", 1), never_says=("Use a local file", "Check the link"))


ENDS = {
    "the answer is lost": unclear(0),
    "it is lost after a limit": unclear(240, reply(429, {"retry-after": "240"})),
    "refused": not_sent(RejectedError, "did not accept the input", [reply(400)]),
    "limited without end": not_sent(RateLimited, "limiting how often", [reply(429, {"retry-after": "300"})] * 7),
    "no connection": not_sent(ConnectError, "could not be reached", [ConnectError("none")] * CONNECT_ATTEMPTS),
    "it takes long": late('the last state was "in_progress"', "go on waiting for this job", deadline=10.0),
    "an unknown status": late(
        'the last state was "pondering"', script={"status": [reply(status="Pondering")] * 500}, deadline=100.0
    ),
    "an unknown result": late('the last state was "pondering"', ending={"status": "pondering"}, deadline=100.0),
    "a gateway's 404 however long it stands": late("404", script={"status": [GATEWAY] * 200}),
    "a broken service": late(
        "(RunComfy answered with HTTP 500). RunComfy had already accepted", script={"status": [reply(500)] * 500}
    ),
    "failed": failed("GPU on fire", 'could not generate the video: "GPU on fire".', "a new job"),
    "failed for no reason": failed(None, "gave no reason.", "a new job"),
    "moderation": refused("Content moderation failed."),
    "sensitive": refused("It contains SENSITIVE information"),
    "policy": refused({"message": "output violates the policy"}),
    "nsfw": refused("NSFW content detected"),
    "cancelled elsewhere": End(JobError, ("Nothing was charged.",), "cancelled", "job-1", CANCELLED),
    "forgotten while it is queued": forgotten("status"),
    "forgotten while it runs": forgotten("result"),
    "no link": End(JobError, ("holds no video", "was charged", "job-1"), "succeeded", "job-1", ending=NO_LINK),
    "links that stay bad": not_fetched(*[LinkExpired(403)] * (MAX_LINK_REFRESHES + 1), says=("not valid any more",)),
    "an unsafe address": ended_at_once(UnsafeUrl("video.unsafe", reason="why"), "Check the proxy, VPN and DNS"),
    "a bad status": ended_at_once(VideoError("video.badStatus", status=418), "Check the proxy, VPN and DNS"),
    "a full disk": ended_at_once(DiskFailure("video.diskFull", folder="a"), "Free some in a and run again. Run"),
    "a transfer that breaks": not_fetched(
        *[DownloadInterrupted("time-out")] * 500, says=("within 30 minutes (", "(time-out)). The job succeeded")
    ),
}


def test_how_a_run_ends_without_a_video_and_what_the_next_one_finds(new_machine: NewMachine) -> None:
    for name, end in ENDS.items():
        machine = new_machine()
        service, good = machine.service, machine.service.ending
        service.script.update((kind, deque(answers)) for kind, answers in end.script.items())
        service.ending = dict(end.ending or good)
        if end.forgotten:
            service.before[end.forgotten] = partial(service.forgotten.add, "job-1")
        machine.downloads.extend(end.downloads)
        machine.change(deadline=end.deadline)
        said = machine.failed(end.error)
        assert [each for each in end.says if each not in said] == [], (name, said)
        assert [each for each in end.never_says if each in said] == [], (name, said)
        assert machine.states() == [end.state], name
        if end.error is JobFailed:
            assert (machine.records()[0].reason == "") is (name == "failed for no reason")
        if end.state == "accepted":
            assert machine.clock.now - 1000 == pytest.approx(end.deadline, abs=0.2), name
        kind, times = end.calls
        assert (len(machine.links) if kind == "link" else service.count(kind)) == times, name
        service.script.clear()
        service.before.clear()
        machine.downloads.clear()
        service.ending = good
        machine.change(deadline=1800.0)
        assert machine.run().request_id == end.then, name
        assert machine.bought == int(end.then[-1]), name
        kept = [] if end.state in ("accepted", "succeeded", "cancelled") else [end.state]
        assert machine.states() == ["saved", *kept], name


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
