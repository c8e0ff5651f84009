"""What each error tells the user."""

from __future__ import annotations

import pytest

from nodes.video.errors import Cancelled, DownloadFailed, DownloadInterrupted, LinkExpired, VideoError


@pytest.mark.parametrize(
    "error", [VideoError("It is broken.", "Delete it."), DownloadInterrupted("time-out"), LinkExpired(403)]
)
def test_a_message_says_what_happened_and_what_to_do(error: VideoError) -> None:
    assert str(error) == f"{error.message} {error.advice}"
    assert error.message
    assert error.advice


def test_reasons_are_named() -> None:
    assert "time-out" in DownloadInterrupted("time-out").message
    assert "403" in LinkExpired(403).message


def test_another_attempt_and_another_link_are_told_apart() -> None:
    assert isinstance(DownloadInterrupted("x"), DownloadFailed)
    assert isinstance(LinkExpired(404), DownloadFailed)
    assert not isinstance(DownloadInterrupted("x"), LinkExpired)


def test_stop_is_no_failure_of_the_video() -> None:
    assert not issubclass(Cancelled, VideoError)
