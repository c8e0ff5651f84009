"""Several videos of one node, in one line."""

from __future__ import annotations

import pytest

from nodes.comfyui.progress import MAX_REASONS, BatchProgress
from nodes.jobs.events import (
    Decoding,
    Done,
    Downloading,
    Event,
    Failed,
    Generating,
    Notice,
    Queued,
    Retrying,
    StopOutcome,
    StopReport,
    Submitting,
)

DONE = Done(41, 121, 864, 480, 24, 0.03)
CANCELLED = StopReport(
    "Stopped. Job job-1 was still queued and is cancelled. Nothing was charged.", StopOutcome.CANCELLED
)


class Screen:
    """What a node has shown."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.bars: list[tuple[int, int]] = []

    def set_text(self, text: str, event: Event | None = None) -> None:
        self.texts.append(text)

    def set_progress(self, value: int, total: int) -> None:
        self.bars.append((value, total))


def shown(*histories: list[Event]) -> Screen:
    """By a list, each item with what has happened to it."""
    screen = Screen()
    batch = BatchProgress(screen)
    shows = [batch.add(number) for number in range(len(histories))]
    for show, history in zip(shows, histories, strict=True):
        for event in history:
            show(event)
    return screen


@pytest.mark.parametrize("event", [Queued(3, 12), Decoding(1, 2), DONE, CANCELLED, Failed("No.")], ids=str)
def test_a_single_item_has_the_line_to_itself(event: Event) -> None:
    assert shown([Submitting(), event]).texts[-1] == str(event)


def test_a_list_is_summed_up_from_the_end_to_the_beginning() -> None:
    everything = shown([Queued(1, 3)], [Generating(34, 50)], [DONE], [Generating(20, 50)], [Submitting()], [])
    assert everything.texts[-1] == "6 videos: 1 done, 2 generating, 1 queued, 2 submitting, 34 s, $0.03"


def test_costs_are_added_up_but_for_what_was_free() -> None:
    free = Done(0, 121, 864, 480, 24, 0.03, reused=True)
    assert shown([DONE], [DONE], [free]).texts[-1] == "3 videos: 3 done, $0.06"


def test_failures_are_listed_with_their_reasons() -> None:
    line = shown([DONE], [Queued(1, 2), Failed("The content check refused it.")], [Downloading(1, 2)]).texts[-1]
    assert line.splitlines() == [
        "3 videos: 1 done, 1 failed, 1 downloading, $0.03",
        "[2] The content check refused it.",
    ]


def test_a_failed_item_is_named_by_what_tells_it_from_the_others() -> None:
    named = {
        "seed 2": [("seed 1", '"A fox"'), ("seed 2", '"A fox"')],
        '"A hare"': [("seed 1", '"A fox"'), ("seed 1", '"A hare"')],
        "2": [("seed 1", '"A fox"'), ("seed 1", '"A fox"')],
    }
    for name, items in named.items():
        screen = Screen()
        batch = BatchProgress(screen)
        *_, last = [batch.add(number, names) for number, names in enumerate(items)]
        last(Failed("No."))
        assert screen.texts[-1].splitlines()[-1] == f"[{name}] No.", name


def test_many_failures_leave_the_line_readable() -> None:
    failed = shown([DONE], *[list[Event]([Failed(f"Reason {number}.")]) for number in range(20)])
    assert failed.texts[-1].splitlines()[-1] == f"and {20 - MAX_REASONS} more, in ComfyUI's log"
    assert len(failed.texts[-1].splitlines()) == 2 + MAX_REASONS


def test_what_the_user_has_to_look_after_is_named_however_much_else_failed() -> None:
    """They are told of it once; the next run buys again."""
    many = [list[Event]([Failed(f"Reason {number}.")]) for number in range(20)]
    urgent = [list[Event]([Failed(f"Unclear {number}.", urgent=True)]) for number in range(7)]
    lines = shown(*many, *urgent).texts[-1].splitlines()
    assert lines[1:-1] == [f"[{number + 21}] Unclear {number}." for number in range(7)]
    assert lines[-1] == "and 20 more, in ComfyUI's log"


def test_after_stop_every_fate_is_counted() -> None:
    goes_on = StopReport("Stopped. Job job-2 is running already.", StopOutcome.GOES_ON)
    assert shown([CANCELLED], [goes_on], [DONE], [CANCELLED]).texts[-1].splitlines() == [
        "4 videos: 1 done, 3 stopped, $0.03",
        f"2 {StopOutcome.CANCELLED.value}",
        f"1 {StopOutcome.GOES_ON.value}",
    ]


def test_trouble_of_one_item_is_told_while_it_lasts() -> None:
    trouble = Retrying("RunComfy is limiting how often this account may call it.", 4)
    *_, troubled, over = shown([], [Queued(2, 5)], [Queued(1, 3), trouble, Generating(9, 50)]).texts
    assert troubled == f"3 videos: 2 queued, 1 submitting, 5 s. {trouble}"
    assert str(trouble) not in over


def test_nothing_follows_the_end() -> None:
    assert shown([Failed("No."), Notice("The journal cannot be written.")]).texts == ["No."]


def test_the_same_line_is_no_news() -> None:
    assert len(shown([Queued(1, 3)] * 3, [Queued(2, 3)] * 3).texts) == 2


@pytest.mark.parametrize(
    ("histories", "measured"),
    [
        ([[Downloading(3, 8)]], (3, 8)),
        ([[Downloading(3, None)]], None),
        ([[Decoding(2, 9)]], (2, 9)),
        ([[Generating(3, 8)]], (375, 1000)),
        ([[Generating(30, 8)]], (950, 1000)),
        ([[DONE], [Downloading(3, 8)], [Failed("No.")], []], (2, 4)),
    ],
)
def test_the_bar_shows_what_is_measured_or_estimated(
    histories: list[list[Event]], measured: tuple[int, int] | None
) -> None:
    assert shown(*histories).bars[-1:] == ([measured] if measured else [])


def test_the_bar_moves_only_when_something_is_done() -> None:
    assert shown([Queued(None, 1.0), Queued(None, 2.0), Failed("No.")], []).bars == [(0, 2), (1, 2)]


def test_items_share_the_nodes_screen_and_nothing_is_sent_twice() -> None:
    screen = Screen()
    batch = BatchProgress(screen)
    first, second = (batch.add(number) for number in range(2))
    first(Queued(1, 3))
    second(Queued(2, 3))
    first(Queued(1, 3))
    second(Failed("No."))
    assert screen.texts == [
        "2 videos: 1 queued, 1 submitting, 3 s",
        "2 videos: 2 queued, 3 s",
        "2 videos: 1 failed, 1 queued, 3 s\n[2] No.",
    ]
    assert screen.bars == [(0, 2), (1, 2)]


def test_what_the_line_loses_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """But a failure, which ComfyUI logs, or a list's node, is not there twice."""
    caplog.set_level("INFO", "seedance")
    shown([Queued(1, 3), Notice("The journal cannot be written."), Failed("No.")])
    assert [record.getMessage() for record in caplog.records] == ["Seedance: The journal cannot be written."]


def test_what_became_of_a_list_is_in_the_log_once_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "seedance")
    shown([Failed("No.")], [DONE], [CANCELLED, Generating(1, 2)])
    (record,) = caplog.records
    assert record.getMessage().startswith("Seedance: 3 videos: 1 done, 1 failed, 1 stopped, $0.03")
