"""The workflow that made a video, in its file: dropped into ComfyUI, the file brings the graph back."""

from __future__ import annotations

import json
import secrets
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path

from ..files import remove, replace, sync


def add_metadata(file: Path, metadata: Mapping[str, object]) -> None:
    """Write values into an MP4 by their names, as JSON. Blocks. Raises OSError, or what `json` does; the file is as it
    was then.

    What is in the file stays to the byte: the box that FFmpeg would write into `moov` goes behind it, where ComfyUI's
    UI looks as well.
    """
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        shutil.copyfile(file, unfinished)
        with unfinished.open("ab") as written:
            written.write(_user_data({f"{name}": json.dumps(value) for name, value in metadata.items()}))
            sync(written)
        replace(unfinished, file)
    finally:
        if file.exists():  # some network drives delete what is to be replaced, and may be gone then: the copy is left
            remove(unfinished)


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
