"""Several videos of one node, in one line."""

from __future__ import annotations

import pytest

from nodes.comfyui.progress import MAX_REASONS, BatchProgress, Lines, english
from nodes.jobs.events import (
    Event,
    Phase,
    StopOutcome,
    decoding,
    done,
    downloading,
    failed,
    generating,
    notice,
    queued,
    retrying,
    stopped,
    submitting,
)
from nodes.texts import Text

DONE = done(41, 121, 864, 480, 24, 0.03)
CANCELLED = stopped(Text("stop.cancelled", end=Text("stop.pressed"), id="job-1"), StopOutcome.CANCELLED)


class Screen:
    """What a node has shown."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.bars: list[tuple[int, int]] = []

    def show(self, lines: Lines, _: Phase | None) -> None:
        self.texts.append(english(lines))

    def set_progress(self, value: int, total: int) -> None:
        self.bars.append((value, total))


def shown(*histories: list[Event]) -> Screen:
    """By a list, each item with what has happened to it, one after the other."""
    screen = Screen()
    batch = BatchProgress(screen.show, screen.set_progress)
    shows = [batch.add(number) for number in range(len(histories))]
    for show, history in zip(shows, histories, strict=True):
        for event in history:
            show(event)
    return screen


def test_the_line_of_a_list_sums_up_what_its_items_came_to() -> None:
    free = done(0, 121, 864, 480, 24, 0.03, reused=True)
    refused, goes_on = failed(("The content check refused it.",)), stopped("Stopped.", StopOutcome.GOES_ON)
    reasons = [list[Event]([failed((f"Reason {number}.",))]) for number in range(20)]
    urgent = [list[Event]([failed((f"Unclear {number}.",), urgent=True)]) for number in range(7)]
    table: list[tuple[list[list[Event]], list[str]]] = [
        # A single one has the line to itself.
        ([[submitting(), CANCELLED]], [str(CANCELLED)]),
        ([[submitting(), decoding(1, 2)]], ["Decoding 1 of 2 frames"]),
        # From the end to the beginning.
        (
            [[queued(1, 3)], [generating(34, 50)], [DONE], [generating(20, 50)], [submitting()], []],
            ["6 videos: 1 done, 2 generating, 1 queued, 2 submitting, 34 s, $0.03"],
        ),
        ([[DONE], [DONE], [free]], ["3 videos: 3 done, $0.06"]),
        (
            [[DONE], [queued(1, 2), refused], [downloading(1, 2)]],
            ["3 videos: 1 done, 1 failed, 1 downloading, $0.03", f"[2] {refused}"],
        ),
        (
            [[DONE], *reasons],
            [
                "21 videos: 1 done, 20 failed, $0.03",
                *(f"[{number + 2}] Reason {number}." for number in range(MAX_REASONS)),
                f"and {20 - MAX_REASONS} more, in ComfyUI's log",
            ],
        ),
        # The user has to look after these, and is told of them once: the next run buys again.
        (
            [*reasons, *urgent],
            [
                "27 videos: 27 failed",
                *(f"[{number + 21}] Unclear {number}." for number in range(7)),
                "and 20 more, in ComfyUI's log",
            ],
        ),
        (
            [[CANCELLED], [goes_on], [DONE], [CANCELLED]],
            [
                "4 videos: 1 done, 3 stopped, $0.03",
                "2 cancelled, nothing charged",
                "1 going on and will be charged; the next run of the same graph collects them without a new charge",
            ],
        ),
    ]
    for histories, expected in table:
        assert shown(*histories).texts[-1].splitlines() == expected


def test_a_failed_item_is_named_by_what_tells_it_from_the_others() -> None:
    named = {
        "seed 2": [("seed 1", '"A fox"'), ("seed 2", '"A fox"')],
        '"A hare"': [("seed 1", '"A fox"'), ("seed 1", '"A hare"')],
        "2": [("seed 1", '"A fox"'), ("seed 1", '"A fox"')],
    }
    for name, items in named.items():
        screen = Screen()
        batch = BatchProgress(screen.show, screen.set_progress)
        *_, last = [batch.add(number, names) for number, names in enumerate(items)]
        last(failed(("No.",)))
        assert screen.texts[-1].splitlines()[-1] == f"[{name}] No.", name


def test_trouble_of_one_item_is_told_while_it_lasts() -> None:
    trouble = retrying("RunComfy is limiting how often this account may call it.", 4)
    *_, troubled, over = shown([], [queued(2, 5)], [queued(1, 3), trouble, generating(9, 50)]).texts
    assert troubled == f"3 videos: 2 queued, 1 submitting, 5 s\n{trouble}"
    assert str(trouble) not in over


def test_nothing_follows_the_end_and_the_same_line_is_no_news() -> None:
    assert shown([failed(("No.",)), notice("The journal cannot be written.")]).texts == ["No."]
    assert len(shown([queued(1, 3)] * 3, [queued(2, 3)] * 3).texts) == 2


def test_the_bar_knows_only_what_is_measured_and_moves_only_when_something_is_done() -> None:
    table: list[tuple[list[list[Event]], list[tuple[int, int]]]] = [
        ([[downloading(3, 8)]], [(3, 8)]),
        ([[downloading(3, None)]], []),
        ([[decoding(2, 9)]], [(2, 9)]),
        ([[generating(3, 8)]], [(375, 1000)]),
        ([[generating(30, 8)]], [(950, 1000)]),
        ([[DONE], [downloading(3, 8)], [failed(("No.",))], []], [(1, 4), (2, 4)]),
        ([[queued(None, 1.0), queued(None, 2.0), failed(("No.",))], []], [(0, 2), (1, 2)]),
    ]
    for histories, bars in table:
        assert shown(*histories).bars == bars


def test_what_the_line_loses_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """But a failure, which ComfyUI logs, or a list's node, is not there twice; and a list once it is over."""
    caplog.set_level("INFO", "seedance")
    shown([queued(1, 3), notice("The journal cannot be written."), failed(("No.",))])
    shown([failed(("No.",))], [DONE], [CANCELLED, generating(1, 2)])
    warning, summary = (record.getMessage() for record in caplog.records)
    assert warning == "Seedance: The journal cannot be written."
    assert summary.startswith("Seedance: 3 videos: 1 done, 1 failed, 1 stopped, $0.03")
