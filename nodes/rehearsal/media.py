"""Which bytes of a file a GET asks for: ranges and entity tags, as far as players and resuming downloads use them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Portion:
    """The answer to a request for a file: its status, headers, and which of its bytes follow."""

    status: int
    headers: Mapping[str, str]
    start: int = 0
    length: int = 0


def portion(size: int, etag: str, wanted: str, condition: str, known: str) -> Portion:
    """What to send of a file.

    Args:
        size: of the whole file in bytes.
        wanted: the Range header, or nothing.
        condition: the If-Range header, or nothing.
        known: the If-None-Match header, or nothing.
    """
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if known == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        return Portion(304, headers)
    whole = Portion(200, headers | {"Content-Type": "video/mp4"}, 0, size)
    match = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", wanted.strip())
    # Anything else, several ranges among it, may be answered with the whole file.
    if not match or match[0] == "bytes=-" or (condition and condition != etag):
        return whole
    first, last = match[1], match[2]
    if first:
        start, end = int(first), min(int(last) if last else size - 1, size - 1)
        if last and int(last) < int(first):
            return whole
    else:
        start, end = max(0, size - int(last)), size - 1
    if start > end:
        return Portion(416, headers | {"Content-Range": f"bytes */{size}"})
    headers |= {"Content-Type": "video/mp4", "Content-Range": f"bytes {start}-{end}/{size}"}
    return Portion(206, headers, start, end - start + 1)
