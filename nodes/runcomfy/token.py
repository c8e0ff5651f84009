"""Where the account's token comes from, and where it may go. Its value leaves only inside an Authorization header."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from ..files import make_private_folder, write_private
from ..texts import SETTINGS
from .errors import MissingToken, RunComfyError

TOKEN_VARIABLES: Final = ("RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN", "YOUR_API_TOKEN")
DEFAULT_ORIGIN: Final = "https://model-api.runcomfy.net"
MAX_TOKEN_LENGTH: Final = 2048
"""Characters; well above any real token, and well below what a header may hold."""
MIN_REDACTED_LENGTH: Final = 12
"""Characters; anything shorter is no real token, and may well be a word of an answer."""


@dataclass(frozen=True)
class Token(AuthBase):
    """A bearer token that knows where it came from and never shows its value."""

    _value: str = field(repr=False)
    source: str
    """Its place, for messages: a setting or a variable's name."""

    def redact(self, content: bytes) -> bytes:
        """An answer's content, with the token replaced wherever it appears: an error page may quote headers."""
        if len(self._value) < MIN_REDACTED_LENGTH:
            return content
        # In JSON, each character may also be escaped, or be spelt by its number.
        spellings = "".join(rf"(?:\\?{re.escape(mark)}|\\u(?i:{ord(mark):04x}))" for mark in self._value)
        return re.sub(spellings.encode(), b"[token]", content)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._value}"
        return request

    def __reduce__(self) -> str:
        raise TypeError("a token is not to be copied or stored")

    @property
    def account(self) -> str:
        """A fingerprint that tells accounts apart; the token cannot be recovered from it."""
        return hashlib.sha256(b"seedance account\0" + self._value.encode()).hexdigest()[:16]


def find_token(environment: Mapping[str, str], file: Path) -> Token:
    """The token that is saved, or of the first variable that is set. Raises `MissingToken`, also if it is none."""
    if saved := saved_token(file):
        return Token(_checked(saved, SETTINGS), SETTINGS)
    if name := variable_in_use(environment):
        return Token(_checked(environment[name], name), name)
    raise MissingToken("tokenMissing", name=TOKEN_VARIABLES[0])


def variable_in_use(environment: Mapping[str, str]) -> str | None:
    """The first variable that is set: the one that holds the token where none is saved."""
    return next((name for name in TOKEN_VARIABLES if environment.get(name, "").strip()), None)


def save_token(text: str, file: Path) -> None:
    """Save a token for all runs from now on. Raises `MissingToken` if it cannot be one, and OSError if it cannot be
    written; the one saved before is then still there.
    """
    value = _checked(text, SETTINGS)
    make_private_folder(file.parent)
    # Windows has no modes: the file inherits the access list of ComfyUI's user folder. It is private if ComfyUI is
    # inside the user's profile; elsewhere, whoever may read that folder may read it.
    write_private(value, file)


def saved_token(file: Path) -> str:
    """What is saved as the token; an empty text for nothing. Raises `MissingToken` where that cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise MissingToken("tokenUnreadable", reason=reason, file=str(file)) from None


def _checked(text: str, source: str) -> str:
    """The token itself, from what was pasted, which is often the whole header."""
    value = re.sub(r"^(authorization:\s*)?bearer(\s+|$)", "", text.strip(), flags=re.IGNORECASE)
    # Anything else would break the header, or raise an error that quotes it.
    if value.isascii() and value.isprintable() and " " not in value and 0 < len(value) <= MAX_TOKEN_LENGTH:
        return value
    raise MissingToken("tokenInvalid", source=source)


def api_origin(environment: Mapping[str, str]) -> str:
    """Where the API is: RunComfy's own, or RUNCOMFY_API_BASE_URL.

    Raises `RunComfyError` where no token may be sent: it could be read on the way, or that is no address at all.
    """
    value = environment.get("RUNCOMFY_API_BASE_URL", "").strip() or DEFAULT_ORIGIN
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        host.encode()  # raises a ValueError for what no journal and no log could hold
        if host and is_safe and not ("@" in parts.netloc or parts.query or parts.fragment or parts.path.strip("/")):
            shown = f"[{host}]" if ":" in host else host
            # One name for one service: by it the journal finds all jobs of a request.
            usual = {"https": 443, "http": 80}[parts.scheme]
            return f"{parts.scheme}://{shown}" + (f":{port}" if port not in (None, usual) else "")
    except ValueError:
        pass
    raise RunComfyError("invalidOrigin")


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
