"""What each error tells the user."""

from __future__ import annotations

import pytest

from nodes.video.errors import Abandoned, FetchBroken, FetchFailed, LinkExpired, VideoError


@pytest.mark.parametrize(
    "error", [VideoError("It is broken.", "Delete it."), FetchBroken("time-out"), LinkExpired(403)]
)
def test_a_message_says_what_happened_and_what_to_do(error: VideoError) -> None:
    assert str(error) == f"{error.what} {error.todo}"
    assert error.what
    assert error.todo


def test_reasons_are_named() -> None:
    assert "time-out" in FetchBroken("time-out").what
    assert "403" in LinkExpired(403).what


def test_another_attempt_and_another_link_are_told_apart() -> None:
    assert isinstance(FetchBroken("x"), FetchFailed)
    assert isinstance(LinkExpired(404), FetchFailed)
    assert not isinstance(FetchBroken("x"), LinkExpired)


def test_stop_is_no_failure_of_the_video() -> None:
    assert not issubclass(Abandoned, VideoError)
