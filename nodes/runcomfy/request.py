"""What may be asked of the model: the input schema, checked before anything is sent or spent."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Final, TypeGuard

from .errors import InvalidRequest

MODEL_ID: Final = "bytedance/seedance-1-0/pro/fast/text-to-video"
RESOLUTIONS: Final = ("480p", "720p", "1080p")
RATIOS: Final = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
MIN_DURATION: Final = 2
MAX_DURATION: Final = 12
MAX_SEED: Final = 2**31 - 1
MAX_COUNT: Final = 200
"""Videos of one Seedance Options node."""
ADVISED_TEXT_LENGTH: Final = 500
"""Characters; a longer text is accepted, but the schema says that shorter ones give better results."""

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_DEVICE: Final = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]", re.IGNORECASE)
"""Names that are no files on Windows, whatever their ending; to read `con.mp4` waits for the keyboard."""

# BytePlus' own API takes options as flags inside the prompt. Here they would contradict the sockets.
_FLAG = re.compile(r"(?<!\S)--(resolution|rs|ratio|rt|duration|dur|seed)(?=[\s=]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Options:
    """Everything about a video but its text. Defaults are the API's own."""

    resolution: str = "480p"
    ratio: str = "16:9"
    duration: int = 5
    """Seconds, 2 to 12."""
    seed: int = 38810827


@dataclass(frozen=True)
class GenerationRequest:
    """One video, as the input schema describes it.

    Raises:
        InvalidRequest: a value that the schema does not allow; nothing was sent.
    """

    text: str
    resolution: str = Options.resolution
    ratio: str = Options.ratio
    duration: int = Options.duration
    seed: int = Options.seed

    @classmethod
    def of(cls, text: str, options: Options | None) -> GenerationRequest:
        """From the two sockets; whatever a workflow file put on them."""
        if options is None:
            return cls(text)
        if not isinstance(options, Options):
            raise InvalidRequest("options is not from a Seedance Options node.")
        return cls(text, **asdict(options))

    def __post_init__(self) -> None:
        problem = (
            validate_text(self.text)
            or validate_choice("resolution", self.resolution, RESOLUTIONS)
            or validate_choice("ratio", self.ratio, RATIOS)
            or validate_number("duration", self.duration, MIN_DURATION, MAX_DURATION)
            or validate_number("seed", self.seed, 0, MAX_SEED)
        )
        if problem:
            raise InvalidRequest(problem)

    def body(self) -> dict[str, str | int]:
        """The JSON body of the submit call."""
        return asdict(self)

    def canonical(self) -> str:
        """The same text for equal requests, for hashing."""
        return json.dumps(self.body(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def validate_text(text: object) -> str | None:
    """Why ``text`` cannot be a prompt, as a sentence for the user; None if it can."""
    if not isinstance(text, str):
        return f"text is {text!r:.60}; it must be a text."
    if not text.strip():
        return "The text is empty. Write what the video should show."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "The text contains broken characters (half of a surrogate pair). Retype or paste it again."
    flag = _FLAG.search(text)
    if flag:
        return (
            f"The text contains {flag.group()}, which would contradict the options. "
            "Remove it from the text and set it on a Seedance Options node."
        )
    return None


def is_request_id(value: object) -> TypeGuard[str]:
    """Whether ``value`` can be the request id of a job: also safe as a file name and in a URL."""
    return isinstance(value, str) and bool(_REQUEST_ID.fullmatch(value)) and not _DEVICE.fullmatch(value)


def text_hint(text: str) -> str | None:
    """Advice on a prompt that is allowed but unwise; None if there is none."""
    if len(text) <= ADVISED_TEXT_LENGTH:
        return None
    return f"The text has {len(text)} characters; under {ADVISED_TEXT_LENGTH} gives better results."


def validate_choice(name: str, value: object, choices: tuple[str, ...]) -> str | None:
    """Why ``value`` is none of ``choices``, as a sentence for the user; None if it is one."""
    if value in choices:
        return None
    return f"{name} is {value!r:.60}; it must be one of {', '.join(choices)}."


def validate_number(name: str, value: object, low: int, high: int) -> str | None:
    """Why ``value`` is no whole number from ``low`` to ``high``, as a sentence for the user; None if it is one."""
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return None
    return f"{name} is {value!r:.60}; it must be a whole number from {low} to {high}."
