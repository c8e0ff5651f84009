"""The README's example of ComfyUI's HTTP API, as it stands there, but for the address."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from tests.comfyui.conftest import Comfy
from tests.docs.pages import blocks, commands
from tests.support.clips import frames_of

PATIENCE = 120.0  # seconds; it takes about eight


def test_curl_makes_a_video(newcomer: Comfy, tmp_path: Path) -> None:
    (prompt,) = blocks("README.md", "json")
    (tmp_path / "fox.json").write_text(prompt, encoding="utf-8")
    (command,) = (command for command in commands("README.md") if command.startswith("curl "))
    address = newcomer.url.removeprefix("http://")
    answer = subprocess.run(
        ["bash", "-c", command.replace("127.0.0.1:8188", address).replace("curl ", "curl -sS --noproxy '*' ", 1)],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=60,
    )
    prompt_id = json.loads(answer.stdout)["prompt_id"]
    deadline = time.monotonic() + PATIENCE  # without a web socket nobody says when it ends
    while not (ended := newcomer.client.history(prompt_id)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert ended["status"]["status_str"] == "success"
    (saved,) = ended["outputs"]["3"]["images"]
    assert len(frames_of(newcomer.base / "output" / saved["filename"])) == 49
    assert newcomer.submissions == []
