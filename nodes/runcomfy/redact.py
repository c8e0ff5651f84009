"""The token taken out of whatever quotes it back: a service's error page may show the headers that it was sent."""

from __future__ import annotations

import re
from typing import Final

SHORTEST: Final = 12
"""Characters; anything shorter is no real token, and may well be a word of the answer."""
PLACEHOLDER: Final = b"[token]"


def redact_token(content: bytes, authorization: str) -> bytes:
    """The content with a placeholder wherever the token stands, also where JSON spells characters by their numbers.

    Args:
        authorization: the header that was sent, `Bearer` and the token.
    """
    _, _, token = authorization.rpartition(" ")
    return re.sub(_spellings(token), PLACEHOLDER, content) if len(token) >= SHORTEST else content


def _spellings(token: str) -> bytes:
    """A pattern for every way in which JSON may write a text."""
    characters = (rf"(?:\\?{re.escape(mark)}|\\u(?i:{ord(mark):04x}))" for mark in token)
    return "".join(characters).encode()
