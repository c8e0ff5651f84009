"""The lines that the user reads on the node, to the letter."""

from __future__ import annotations

from nodes.jobs import events
from nodes.jobs.events import Event

PRICE = "$0.02 per second"
AGAIN = "Loaded again for free, 121 frames 864x480 at 24 fps"
LINES: list[tuple[Event, str]] = [
    (events.submitting(), "Submitting"),
    (events.queued(3, 12.2), "Queued, number 3 in line, 12 s"),
    (events.queued(1, 0.4), "Queued, number 1 in line, 0 s"),
    (events.queued(2, 1), "Queued, number 2 in line, 1 s"),
    (events.queued(0, 12), "Queued, 12 s"),
    (events.queued(None, 12), "Queued, 12 s"),
    (events.queued(3, 12, PRICE), f"Queued, number 3 in line, 12 s, {PRICE}"),
    (events.generating(34.4, 50), "Generating, 34 s of about 50 s"),
    (events.generating(61, 50), "Generating, 61 s, usually about 50 s"),
    (events.generating(34, 50, PRICE), f"Generating, 34 s of about 50 s, {PRICE}"),
    (events.downloading(4_100_000, 7_800_000), "Downloading 4.1 of 7.8 MB"),
    (events.downloading(4_100_000, None), "Downloading 4.1 MB"),
    (events.decoding(88, 121), "Decoding 88 of 121 frames"),
    (events.done(41.3, 121, 864, 480, 24.0, 0.03), "Done in 41 s, 121 frames 864x480 at 24 fps, $0.03"),
    (events.done(41, 121, 864, 480, 23.976, None), "Done in 41 s, 121 frames 864x480 at 23.976 fps"),
    (events.done(41, 121, 864, 480, 24, None, price=PRICE), f"Done in 41 s, 121 frames 864x480 at 24 fps, {PRICE}"),
    (events.done(41, 121, 864, 480, 24, 0.1, price=PRICE), "Done in 41 s, 121 frames 864x480 at 24 fps, $0.10"),
    (events.done(0.4, 121, 864, 480, 24, 0.03), "Done, 121 frames 864x480 at 24 fps, $0.03"),
    (events.done(0, 121, 864, 480, 24, 0.03, reused=True), AGAIN),
    (
        events.done(0, 121, 864, 480, 24, None, reused=True, price=PRICE),
        AGAIN,
    ),
    (events.retrying("The network is gone.", 3.6), "The network is gone. Trying again in 4 s."),
    (events.notice("As it is.", "Twice."), "As it is. Twice."),
]


def test_every_line() -> None:
    for event, line in LINES:
        assert str(event) == line


def test_an_amount_has_at_least_cents() -> None:
    for amount, shown in {0.0: "$0.00", 0.03: "$0.03", 1.5: "$1.50", 0.0042: "$0.0042", 0.01: "$0.01"}.items():
        assert events.dollars(amount) == shown
