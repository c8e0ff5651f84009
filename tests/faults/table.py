"""For every call and every fault: what happens, and what the user reads.

A submit goes on only where it provably was not accepted. A read goes on through whatever may pass. A cancel is tried
twice, since the user waits for Stop; then it says what it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Ending(Enum):
    """How the run ends in which the fault strikes, and what the next run of the same graph finds."""

    GOES_ON = "goes on"
    """It brings the video all the same."""
    REFUSED = "refused"
    """Nothing was charged; the next run submits."""
    UNKNOWN = "unknown"
    """Told as such; the next run submits anew."""
    ENDS = "ends"
    """An error that names the job; the next run collects it without a new charge."""
    STOPS = "stops"
    """As Stop should, with a message that promises nothing."""
    CANCELS = "cancels"
    """As Stop should, the job with it; the next run submits."""


@dataclass(frozen=True)
class Cell:
    """One call under one fault."""

    ending: Ending
    reads: str
    """A phrase of what the user reads."""


def _cells(*rows: tuple[Ending, str, str]) -> dict[str, Cell]:
    """From rows of (ending, phrase, the faults separated by commas); `{}` in a phrase is a fault's first word."""
    faults = [(fault.strip(), ending, reads) for ending, reads, several in rows for fault in several.split(",")]
    return {fault: Cell(ending, reads.format(fault.split()[0])) for fault, ending, reads in faults}


_SUBMIT = _cells(
    (Ending.GOES_ON, "could not be reached (no connection). Nothing was charged. Trying again", "refused"),
    (Ending.GOES_ON, "limiting how often this account may call it. Nothing was charged. Trying again", "429"),
    (Ending.GOES_ON, "Nothing was charged. Trying again in 7 s", "429 with Retry-After"),
    # Its request id came; the word beside it means nothing here.
    (Ending.GOES_ON, "Submitting", "unknown word"),
    (Ending.REFUSED, "did not accept the input", "400, 422"),
    (Ending.REFUSED, "did not accept the token from the tests", "401, 401 with its code, 401 in a success"),
    (Ending.REFUSED, "Add funds", "402, 402 in a success"),
    (Ending.REFUSED, "may not see this", "403, 403 with its code"),
    (Ending.REFUSED, "does not have this", "404, 404 with its code, 404 in a success"),
    (
        Ending.UNKNOWN,
        'a job of that time that begins "A paper boat"',
        "reset before reading, reset after reading, reset in mid-body, end in mid-body, time-out, slow trickle, 408, "
        "500, 502, 503, 504, empty body, HTML, truncated JSON, wrong types, redirect",
    ),
)
_READ = _cells(
    (Ending.GOES_ON, "could not be reached (no connection). Trying again", "refused"),
    (Ending.GOES_ON, "(connection lost). Trying again", "reset before reading, reset after reading"),
    (Ending.GOES_ON, "ended before its answer was complete", "reset in mid-body, end in mid-body"),
    (Ending.GOES_ON, "(time-out). Trying again", "time-out, slow trickle"),
    (Ending.GOES_ON, "HTTP {}", "408, 500, 502, 503, 504"),
    (Ending.GOES_ON, "limiting how often", "429"),
    (Ending.GOES_ON, "Trying again in 7 s", "429 with Retry-After"),
    (Ending.GOES_ON, "not a JSON object. Trying again", "empty body, HTML, truncated JSON"),
    (Ending.GOES_ON, "names no status. Trying again", "wrong types"),
    (Ending.GOES_ON, "Generating", "unknown word"),
    (Ending.GOES_ON, "redirects to another address, which is refused to protect the token", "redirect"),
    (Ending.ENDS, "already accepted the job", "400, 402, 422, 402 in a success"),
    (Ending.GOES_ON, "or a gateway in front of it, refused the call with HTTP 40", "401, 403, 404"),
    (Ending.ENDS, "did not accept the token from the tests", "401 with its code, 401 in a success"),
    (Ending.ENDS, "Use the token of the account that made the request", "403 with its code"),
    (Ending.GOES_ON, "does not have this job (404). Trying again", "404 with its code, 404 in a success"),
)
_CANCEL = _cells(
    (Ending.STOPS, "could not be reached (no connection). It may be charged", "refused"),
    (Ending.STOPS, "did not accept the input", "400, 422"),
    (Ending.STOPS, "did not accept the token from the tests", "401 with its code, 401 in a success"),
    (Ending.STOPS, "balance is used up", "402, 402 in a success"),
    (Ending.STOPS, "may not see this", "403 with its code"),
    (Ending.STOPS, "does not have this", "404 with its code, 404 in a success"),
    (
        Ending.CANCELS,
        "was still queued and is cancelled. Nothing was charged.",
        "reset before reading, reset after reading, reset in mid-body, end in mid-body, time-out, slow trickle, 401, "
        "403, 404, 408, 429, 429 with Retry-After, 500, 502, 503, 504, empty body, HTML, truncated JSON, "
        "wrong types, unknown word, redirect",
    ),
)
_MEDIA = _cells(
    (Ending.GOES_ON, "server of the video could not be reached (no connection). Trying again", "refused"),
    (Ending.GOES_ON, "(connection lost). Trying again", "reset before reading, reset after reading"),
    (Ending.GOES_ON, "Trying again", "reset in mid-body, end in mid-body"),
    (Ending.GOES_ON, "(time-out). Trying again", "time-out, slow trickle"),
    (
        Ending.GOES_ON,
        "not valid any more (HTTP {}). Trying again",
        "401, 401 with its code, 403, 403 with its code, 404, 404 with its code",
    ),
    (Ending.GOES_ON, "(HTTP {}). Trying again", "408, 429, 429 with Retry-After, 500, 502, 503, 504"),
    (
        Ending.GOES_ON,
        "is not an MP4 video",
        "empty body, HTML, truncated JSON, wrong types, unknown word, 401 in a success, 402 in a success, "
        "404 in a success",
    ),
    (Ending.ENDS, "The job succeeded and was charged. Check the proxy, VPN and DNS", "400, 402, 422, redirect"),
)

TABLE = {"submit": _SUBMIT, "status": _READ, "result": _READ, "cancel": _CANCEL, "media": _MEDIA}
