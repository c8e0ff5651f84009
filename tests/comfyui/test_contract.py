"""How the pack presents itself to ComfyUI."""

from __future__ import annotations

import requests

from tests.comfyui.conftest import get, network_at_start
from tests.comfyui.contract import NODES, contract_of, read_snapshot
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client

IMPORT_SECONDS = 0.05


def test_sockets_and_widgets_are_the_frozen_ones_of_nodes_that_demand_no_sign_in(client: Client) -> None:
    """At Comfy.org, as those of its partners do. What explains them is in `test_locales.py`."""
    object_info = client.object_info()
    assert contract_of(object_info) == read_snapshot()
    ours = {name: info for name, info in object_info.items() if info["python_module"].endswith("seedance")}
    assert set(ours) == set(NODES)
    assert not any(info.get("api_node") for info in ours.values())


def test_the_packs_routes_are_there_for_comfyuis_own_pages_only(server: ComfyUI) -> None:
    for path in ("/seedance/about", "/api/seedance/about"):
        assert requests.get(server.url + path, timeout=30).ok, path
        evil = requests.get(server.url + path, headers={"Sec-Fetch-Site": "cross-site"}, timeout=30)
        assert evil.status_code == 403, path


def test_import_adds_little_to_the_start_of_comfyui(server: ComfyUI) -> None:
    """In seconds of the processor, which no other process takes, of an import among all that ComfyUI has loaded."""
    assert "IMPORT FAILED" not in server.log
    assert min(get(server, "/probe/seconds_to_import/seedance").json() for _ in range(5)) < IMPORT_SECONDS


def test_import_reaches_for_no_network(server: ComfyUI) -> None:
    pack = str(server.base / "custom_nodes" / "seedance")
    record = network_at_start(server).read_text(encoding="utf-8").splitlines()
    assert [line for line in record if pack in line] == []
