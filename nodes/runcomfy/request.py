"""What may be asked of the model: the input schema, checked before anything is sent or spent."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Final, TypeGuard

from ..texts import Text
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
_FLAG: Final = re.compile(r"(?<!\S)--(resolution|rs|ratio|rt|duration|dur|seed)(?=[\s=]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Options:
    """Everything about a video but its text. Defaults are the API's own. Raises `InvalidRequest`."""

    resolution: str = "480p"
    ratio: str = "16:9"
    duration: int = 5
    """Seconds, 2 to 12."""
    seed: int = 38810827

    def __post_init__(self) -> None:
        check_choice("resolution", self.resolution, RESOLUTIONS)
        check_choice("ratio", self.ratio, RATIOS)
        check_number("duration", self.duration, MIN_DURATION, MAX_DURATION)
        check_number("seed", self.seed, 0, MAX_SEED)


@dataclass(frozen=True)
class GenerationRequest:
    """One video, as the input schema describes it. Raises `InvalidRequest` for a value that it does not allow."""

    text: str
    resolution: str = Options.resolution
    ratio: str = Options.ratio
    duration: int = Options.duration
    seed: int = Options.seed

    @classmethod
    def of(cls, text: str, options: Options | None) -> GenerationRequest:
        """From the values of the two sockets, which may be anything that a workflow file holds."""
        if options is None:
            return cls(text)
        if not isinstance(options, Options):
            raise InvalidRequest(Text("input.options"))
        return cls(text, **asdict(options))

    def __post_init__(self) -> None:
        check_text(self.text)
        Options(self.resolution, self.ratio, self.duration, self.seed)  # which checks them

    def body(self) -> dict[str, str | int]:
        """The JSON body of the submit call."""
        return asdict(self)

    def canonical(self) -> str:
        """The same text for equal requests, for hashing."""
        return json.dumps(self.body(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def check_text(text: object) -> None:
    """Raises `InvalidRequest` for what cannot be a prompt."""
    if not isinstance(text, str):
        raise InvalidRequest(Text("input.text", value=f"{text!r:.60}"))
    if not text.strip():
        raise InvalidRequest(Text("input.empty"))
    if any("\ud800" <= mark <= "\udfff" for mark in text):
        raise InvalidRequest(Text("input.broken"))
    if flag := _FLAG.search(text):
        raise InvalidRequest(Text("input.flag", flag=flag.group()))


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raises `InvalidRequest` for what is none of ``choices``."""
    if value not in choices:
        raise InvalidRequest(Text("input.choice", name=name, value=f"{value!r:.60}", choices=", ".join(choices)))


def check_number(name: str, value: object, low: int, high: int) -> None:
    """Raises `InvalidRequest` for what is no whole number from ``low`` to ``high``."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidRequest(Text("input.number", name=name, value=f"{value!r:.60}", low=low, high=high))


def text_hint(text: str) -> str | None:
    """Advice on a prompt that is allowed but unwise; None if there is none."""
    is_long = len(text) > ADVISED_TEXT_LENGTH
    return Text("longText", length=len(text), limit=ADVISED_TEXT_LENGTH) if is_long else None


def is_request_id(value: object) -> TypeGuard[str]:
    """Whether ``value`` can be the request id of a job: also safe as a file name and in a URL."""
    return isinstance(value, str) and bool(_REQUEST_ID.fullmatch(value)) and not _DEVICE.fullmatch(value)
