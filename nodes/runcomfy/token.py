"""Where the account's token comes from. Its value leaves this module only inside an Authorization header."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from requests import PreparedRequest
from requests.auth import AuthBase

from .errors import MissingToken

VARIABLES: Final = ("RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN", "YOUR_API_TOKEN")
SAVED: Final = "the saved token"


class Token(AuthBase):
    """A bearer token that knows where it came from and never shows its value."""

    def __init__(self, value: str, source: str) -> None:
        self._value = value
        self.source = source
        """Its place, for messages: a setting or a variable's name."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._value}"
        return request

    def __repr__(self) -> str:
        return f"<token from {self.source}>"

    def __reduce__(self) -> str:
        raise TypeError("a token is not to be copied or stored")

    @property
    def account(self) -> str:
        """A fingerprint that tells accounts apart and from which the token cannot be had back."""
        return hashlib.sha256(b"seedance account\0" + self._value.encode()).hexdigest()[:16]


def find_token(environment: Mapping[str, str], file: Path) -> Token:
    """The token in use: the saved one, else the first variable that is set.

    Raises:
        MissingToken: there is none, or the one there is cannot be a token.
    """
    candidates = [(SAVED, _saved(file)), *((name, environment.get(name, "")) for name in VARIABLES)]
    for source, value in candidates:
        if value.strip():
            return _checked(value.strip(), source)
    raise MissingToken(
        "No RunComfy token is set.",
        "Save the token from your RunComfy profile in Settings > Seedance, or set the environment variable "
        f"{VARIABLES[0]} and restart ComfyUI, or switch mode to rehearsal, which needs none.",
    )


def _saved(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise MissingToken(
            f"The saved RunComfy token cannot be read ({error.strerror}).",
            f"Make {file} readable, or delete it.",
        ) from None


def _checked(value: str, source: str) -> Token:
    # Anything else would break the header, or raise an error that quotes it.
    if value.isascii() and value.isprintable() and " " not in value:
        return Token(value, source)
    raise MissingToken(
        f"The value in {source} cannot be a RunComfy token: it contains spaces or special characters.",
        "Copy the token from your RunComfy profile again.",
    )
