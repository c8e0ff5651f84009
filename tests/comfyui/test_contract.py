"""How the pack presents itself to ComfyUI."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.comfyui.conftest import network_at_start
from tests.comfyui.contract import NODES, contract_of, read_snapshot
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client

IMPORT_SECONDS = 0.05


@pytest.fixture(scope="module")
def object_info(client: Client) -> dict[str, Any]:
    return client.object_info()


def test_sockets_and_widgets_are_the_frozen_ones(object_info: dict[str, Any]) -> None:
    assert contract_of(object_info) == read_snapshot()


def test_only_the_packs_nodes_are_offered_and_each_socket_and_widget_is_explained(object_info: dict[str, Any]) -> None:
    ours = {name: info for name, info in object_info.items() if info["python_module"].endswith("seedance")}
    assert set(ours) == set(NODES)
    for name, info in ours.items():
        assert info["description"], name
        assert not info.get("api_node"), f"{name}: a partner node would demand a sign-in at Comfy.org before Run"
        for group in info["input"].values():
            assert all(declaration[1]["tooltip"] for declaration in group.values()), name
        assert len(info["output_tooltips"]) == len(info["output"]), name
        assert all(info["output_tooltips"]), name


def test_the_packs_routes_are_there_for_comfyuis_own_pages_only(server: ComfyUI) -> None:
    for path in ("/seedance/about", "/api/seedance/about"):
        assert requests.get(server.url + path, timeout=30).ok, path
        evil = requests.get(server.url + path, headers={"Sec-Fetch-Site": "cross-site"}, timeout=30)
        assert evil.status_code == 403, path


def test_import_adds_little_to_the_start_of_comfyui(server: ComfyUI) -> None:
    """In seconds of the processor, which no other process takes, of an import among all that ComfyUI has loaded."""
    assert "IMPORT FAILED" not in server.log
    assert min(seconds_to_import(server) for _ in range(5)) < IMPORT_SECONDS


def test_import_reaches_for_no_network(server: ComfyUI) -> None:
    pack = str(server.base / "custom_nodes" / "seedance")
    record = network_at_start(server).read_text(encoding="utf-8").splitlines()
    assert [line for line in record if pack in line] == []


def seconds_to_import(server: ComfyUI) -> float:
    answer = requests.get(f"{server.url}/probe/seconds_to_import/seedance", timeout=30)
    answer.raise_for_status()
    return float(answer.json())
