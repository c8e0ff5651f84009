"""Writes down every reach for the network while ComfyUI imports its packs. ComfyUI runs this before it imports any."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

NETWORK = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"})
RECORD = Path(os.environ["PROBE_NETWORK_RECORD"])


def _record(event: str, arguments: tuple[object, ...]) -> None:
    if event in NETWORK:
        stack = [frame.filename for frame in traceback.extract_stack(limit=40)]
        with RECORD.open("a", encoding="utf-8") as record:
            record.write(f"{event} {arguments[1:]!r} from {stack}\n")


RECORD.write_text("", encoding="utf-8")
sys.addaudithook(_record)
