"""The pages say what is there: links lead somewhere, commands are run, variables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.pages import PAGES, ROOT, commands
from tests.docs.test_trouble import all_texts
from tools.package import known_files

RUN_BY_TESTS = ("python cli.py ", "curl ", ".\\python_embeded\\python.exe -s ComfyUI\\")
"""By tests/terminal/test_readme.py and tests/comfyui/test_readme.py, which take them from the page."""
NOT_RUN_AS_THEY_STAND = {
    "comfy node install seedance": "needs the registry; tests/install installs the same zip by ComfyUI-Manager's code",
    ".\\python_embeded\\python.exe -s -m pip install -r ComfyUI\\custom_nodes\\seedance\\requirements.txt": "the same",
    "pip install -r ComfyUI/custom_nodes/<folder>/requirements.txt": "tests/install lets ComfyUI-Manager do the same",
    'RUNCOMFY_API_TOKEN=... make demo MODE=live PROMPT="..."': "is paid; tests/tools/test_demo.py covers its options",
}
OF_REQUESTS = {"HTTPS_PROXY", "NO_PROXY"}
NO_VARIABLE = {"SEEDANCE_OPTIONS"}
"""What is written like one, and is a type of socket."""


def headings(page: Path) -> set[str]:
    """Of a page, as GitHub writes them in an address."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_every_link_inside_the_repository_is_relative_and_leads_somewhere() -> None:
    links = [
        (page, link)
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    ]
    (own,) = re.findall(r'^Repository = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert not [link for _, link in links if link.startswith(f"{own}/blob")]
    inside = [(page, link) for page, link in links if not link.startswith("https://")]
    assert len(inside) > 10
    for page, link in inside:
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        assert target.is_file(), f"{page.name}: {link}"
        assert not heading or heading in headings(target), f"{page.name}: {link}"


def test_every_command_is_run_by_a_test_or_by_ci_as_it_stands() -> None:
    documented = {command for page in PAGES for command in commands(page)}
    assert any(command.startswith("curl ") for command in documented)
    assert set(NOT_RUN_AS_THEY_STAND) <= documented, "an exception that no page has any more"
    scripts = [ROOT / ".ci" / "run", *(ROOT / ".github" / "workflows").glob("*.yml")]
    lines = [line for file in scripts for line in file.read_text(encoding="utf-8").splitlines()]
    run = {line.strip().removeprefix("- ").removeprefix("run: ") for line in lines}
    elsewhere = {command for command in documented if command.startswith(RUN_BY_TESTS)}
    assert documented - run - elsewhere - set(NOT_RUN_AS_THEY_STAND) == set()


def test_readme_lists_every_variable_that_the_code_knows_and_no_other() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^## Environment variables$(.*?)^## ", page, re.DOTALL | re.MULTILINE)
    named = r"(RUNCOMFY|SEEDANCE)_[A-Z_]+|[A-Z]+_API_TOKEN|[A-Z]+_CA_BUNDLE"
    known = {text for text in all_texts() if re.fullmatch(named, text)} - NO_VARIABLE
    assert len(known) > 5
    assert set(re.findall(r"`([A-Z_]{6,})`", table)) == known | OF_REQUESTS


def test_contributing_lists_every_file_in_which_a_publisher_fills_in_an_address() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`([\w./]+\.(?:toml|md|yml|py))`", page.partition("**The first release.**")[2]))
    stand_in = "seedance" + "-comfyui"
    texts = {name: (ROOT / name).read_bytes() for name in known_files(ROOT)}
    assert {name for name, text in texts.items() if stand_in.encode() in text} == listed | {"CONTRIBUTING.md"}
