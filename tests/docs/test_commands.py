"""Every command of README.md and CONTRIBUTING.md is run by a test or by CI, as it stands there."""

from __future__ import annotations

from tests.docs.pages import PAGES, ROOT, commands

RUN_BY_TESTS = ("python cli.py ", "curl ", ".\\python_embeded\\python.exe -s ComfyUI\\")
"""By tests/terminal/test_readme.py and tests/comfyui/test_readme.py, which take them from the page."""
NOT_RUN_AS_THEY_STAND = {
    "comfy node install seedance": "needs the registry; tests/install installs the same zip by ComfyUI-Manager's code",
    ".\\python_embeded\\python.exe -s -m pip install -r ComfyUI\\custom_nodes\\seedance\\requirements.txt": "the same",
    "pip install -r ComfyUI/custom_nodes/<folder>/requirements.txt": "tests/install lets ComfyUI-Manager do the same",
    'RUNCOMFY_API_TOKEN=... make demo MODE=live PROMPT="..."': "is paid; tests/tools/test_demo.py covers its options",
}


def test_every_command_is_run_somewhere() -> None:
    documented = {command for page in PAGES for command in commands(page)}
    assert any(command.startswith("curl ") for command in documented)
    assert set(NOT_RUN_AS_THEY_STAND) <= documented, "an exception that no page has any more"
    scripts = [ROOT / ".ci" / "run", *(ROOT / ".github" / "workflows").glob("*.yml")]
    run = {
        line.strip().removeprefix("- ").removeprefix("run: ")
        for file in scripts
        for line in file.read_text(encoding="utf-8").splitlines()
    }
    elsewhere = {command for command in documented if command.startswith(RUN_BY_TESTS)}
    assert documented - run - elsewhere - set(NOT_RUN_AS_THEY_STAND) == set()
