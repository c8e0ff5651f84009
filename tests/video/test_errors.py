"""What each error tells the user."""

from __future__ import annotations

from nodes.errors import StopRequested
from nodes.video.errors import DownloadFailed, DownloadInterrupted, LinkExpired, VideoError


def test_a_message_says_what_happened_and_what_to_do() -> None:
    for error, reason in (
        (VideoError("It is broken.", "Copy it again."), "broken"),
        (DownloadInterrupted("time-out"), "time-out"),
        (LinkExpired(403), "403"),
    ):
        assert str(error) == f"{error.message} {error.advice}"
        assert reason in error.message
        assert error.advice, reason


def test_another_attempt_another_link_and_a_stop_are_told_apart() -> None:
    assert issubclass(DownloadInterrupted, DownloadFailed)
    assert issubclass(LinkExpired, DownloadFailed)
    assert not issubclass(DownloadInterrupted, LinkExpired)
    assert not issubclass(StopRequested, VideoError)
