"""Reading ComfyUI's binary websocket frames."""

from __future__ import annotations

import struct

from tools.comfyui_events import progress_text


def test_a_line_of_text_names_its_node() -> None:
    frame = struct.pack(">II", 3, len("12")) + b"12" + "Queued, 3rd in line – 12 s".encode()
    assert progress_text(frame) == {"node": "12", "text": "Queued, 3rd in line – 12 s"}


def test_a_preview_image_is_no_text() -> None:
    assert progress_text(struct.pack(">II", 1, 2) + b"\xff\xd8\xff") is None
