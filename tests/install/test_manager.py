"""What a user does: ComfyUI-Manager installs the published zip into a fresh ComfyUI, updates it, and removes it."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from nodes.comfyui.guarded_route import about
from nodes.rehearsal import Timing
from tests.comfyui.conftest import TOKEN, set_token
from tests.comfyui.contract import NODES
from tests.comfyui.seedance_graphs import OPTIONS, VIDEO, node, options, output, text_to_video
from tests.install import manager
from tests.install.manager import Environment, Manager, prepare
from tests.support.loopback_server import Loopback
from tests.support.rehearsal import RehearsalService
from tools.comfyui import CACHE, ComfyUI
from tools.comfyui_client import Client, Status
from tools.comfyui_source import ensure
from tools.package import NAME, ROOT, pack

VERSION, OLDER = about()["version"], "0.1.0"

GRAPH = {
    OPTIONS: options(ratio="1:1"),
    VIDEO: text_to_video("A snail crosses a path."),
    "end": node("PreviewImage", images=output("images")),
    "id": node("PreviewAny", source=output("request_id")),
}
"""The smallest video, decoded, and its request id. The first version takes the same graph."""

NOT_THE_PACKS = {"__pycache__", "__manager", "default", "temp", "front_end", "comfyui.log", "comfyui.prev.log"}
"""What Manager, ComfyUI or the test leave behind in any case."""


@pytest.fixture(scope="session")
def fresh_core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ComfyUI as its users have it: with custom_nodes, output and user inside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COMFYUI_PATH", raising=False)  # the environment is made for this one
        core = ensure(CACHE)
    return shutil.copytree(core, tmp_path_factory.mktemp("manager") / "ComfyUI", symlinks=True)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    """With this version, and an earlier one: that of the folder `UPDATE_FROM`, else this one under another number."""
    folder = tmp_path_factory.mktemp("registry")
    newest = pack(ROOT, folder / "newest.zip")
    older = pack(Path(os.environ.get("UPDATE_FROM", ROOT)), folder / "older.zip")
    if "UPDATE_FROM" not in os.environ:
        older = relabelled(older, folder / "relabelled.zip")
    with manager.registry(NAME, {OLDER: older, VERSION: newest}) as server:
        yield server


def relabelled(archive: Path, target: Path) -> Path:
    """The same pack as an earlier version."""
    with zipfile.ZipFile(archive) as pack, zipfile.ZipFile(target, "w") as older:
        for name in pack.namelist():
            content = pack.read(name)
            older.writestr(name, content.replace(f'"{VERSION}"'.encode(), f'"{OLDER}"'.encode()))
    return target


@pytest.fixture
def usual(fresh_core: Path) -> Iterator[Environment]:
    """ComfyUI with torch. It is thrown away when a test changed it, so that the next begins anew."""
    environment = prepare(CACHE, fresh_core)
    before = environment.installed()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMFYUI_PYTHON", str(environment.python))
        yield environment
    if environment.installed() != before:
        shutil.rmtree(environment.folder)


def test_a_user_installs_uses_updates_and_removes_the_pack(
    usual: Environment, registry: Loopback, fresh_core: Path
) -> None:
    command = Manager(usual, fresh_core, registry)
    installed, files = usual.installed(), files_in(fresh_core)
    assert any(line.startswith("torch==") for line in installed)

    said = command.run("install", f"{NAME}@{OLDER}", "--mode", "local")
    assert f"[INSTALLED] {NAME}" in said
    assert usual.installed() == installed, "an install must change neither torch nor anything else"
    with RehearsalService(tokens=(TOKEN,), timing=Timing(queued=0.1, running=0.1)) as service:
        account = {"RUNCOMFY_API_BASE_URL": service.origin}
        with started(fresh_core, account) as server:
            set_token(server, TOKEN)
            video = made(server)
        said = command.run("update", NAME, "--mode", "local")
        assert "UPDATED" in said
        command.run("start")
        with started(fresh_core, account) as server:
            assert set(pack_nodes(server)) == set(NODES)
            assert requests.get(f"{server.url}/seedance/about", timeout=60).json()["version"] == VERSION
            assert made(server) == video, "the token, the journal and the video are found by the same graph"
            assert len(service.submissions) == 1

    said = command.run("uninstall", NAME, "--mode", "local")
    assert f"[UNINSTALLED] {NAME}" in said
    assert usual.installed() == installed
    left = files_in(fresh_core) - files
    assert {Path(file).parts[:2] for file in left} == {("output", "seedance"), ("user", "__seedance")}
    assert [file for file in left if file.endswith(".mp4")]
    with started(fresh_core, {}) as server:
        assert pack_nodes(server) == []


def made(server: ComfyUI) -> object:
    """Run the graph; the request id of its video."""
    assert "IMPORT FAILED" not in server.log
    with Client(server.url) as client:
        run = client.run(GRAPH, timeout=120)
    assert run.status is Status.SUCCESS, run.error
    return run.outputs["id"]


def started(core: Path, variables: dict[str, str]) -> ComfyUI:
    """The ComfyUI itself, not this project's: with its own folders."""
    return ComfyUI(core, pack=None, core=core, env=variables)


def pack_nodes(server: ComfyUI) -> list[str]:
    """The pack's nodes that the server offers."""
    assert "IMPORT FAILED" not in server.log
    return [name for name in requests.get(f"{server.url}/object_info", timeout=60).json() if "Seedance" in name]


def files_in(folder: Path) -> set[str]:
    found = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return {str(file) for file in found if not NOT_THE_PACKS & set(file.parts)}
