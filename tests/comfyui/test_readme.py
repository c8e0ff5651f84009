"""The README's example of ComfyUI's HTTP API, as it stands there, but for the address."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import av
import pytest
import requests

from tests.comfyui.conftest import ServiceLog
from tests.docs.pages import blocks, commands
from tools.comfyui import ComfyUI

PATIENCE = 120.0  # seconds; it takes about eight


def history(server: ComfyUI, prompt_id: str) -> dict[str, Any]:
    """What became of a graph; without a web socket nobody says when it ends."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = requests.get(f"{server.url}/history/{prompt_id}", timeout=10).json()
        if prompt_id in found:
            ended: dict[str, Any] = found[prompt_id]
            return ended
        time.sleep(0.1)
    raise TimeoutError(prompt_id)


@pytest.mark.usefixtures("client_without_token")
def test_curl_makes_a_video(server: ComfyUI, service_log: ServiceLog, tmp_path: Path) -> None:
    (prompt,) = blocks("README.md", "json")
    (tmp_path / "fox.json").write_text(prompt, encoding="utf-8")
    (command,) = (command for command in commands("README.md") if command.startswith("curl "))
    address = server.url.removeprefix("http://")
    answer = subprocess.run(
        ["bash", "-c", command.replace("127.0.0.1:8188", address).replace("curl ", "curl -sS --noproxy '*' ", 1)],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=60,
    )
    ended = history(server, json.loads(answer.stdout)["prompt_id"])
    assert ended["status"]["status_str"] == "success"
    (saved,) = ended["outputs"]["3"]["images"]
    with av.open(str(server.base / "output" / saved["filename"])) as container:
        assert len(list(container.decode(video=0))) == 49
    assert service_log.submissions == []
