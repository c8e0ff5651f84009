"""The workflow that made a video, in its file: dropped into ComfyUI, the file brings the graph back."""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import Mapping
from typing import Final

_log: Final = logging.getLogger("seedance")


def metadata_box(metadata: Mapping[str, object]) -> bytes:
    """Metadata as JSON, in the box that FFmpeg would write into an MP4's `moov`. Behind that, at the end of the file,
    it changes nothing else in it, and ComfyUI's UI finds it there as well.

    Empty if there is none, or if `json` does not take it: a workflow may hold anything.
    """
    try:
        return _user_data({f"{name}": json.dumps(value) for name, value in metadata.items()}) if metadata else b""
    except (TypeError, ValueError, RecursionError) as error:
        _log.warning("Seedance: the workflow is not written into the video (%s).", error)
        return b""


def _user_data(values: Mapping[str, str]) -> bytes:
    """A box of names and texts, by QuickTime's specification of metadata."""
    handler = _box(b"hdlr", bytes(8) + b"mdta" + bytes(13))
    keys = b"".join(_box(b"mdta", name.encode(errors="replace")) for name in values)
    texts = (_box(b"data", struct.pack(">II", 1, 0) + text.encode()) for text in values.values())  # 1: UTF-8
    items = b"".join(_box(struct.pack(">I", number), text) for number, text in enumerate(texts, 1))
    listed = _box(b"keys", struct.pack(">II", 0, len(values)) + keys) + _box(b"ilst", items)
    return _box(b"udta", _box(b"meta", bytes(4) + handler + listed))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content
