"""Why a graph did not run."""

from __future__ import annotations

from tests.comfyui.graphs import ApiGraph
from tools.comfyui_client import Client, Refused, Status


def failure_of(client: Client, graph: ApiGraph) -> str:
    """What the user is told, whether at validation or by the node."""
    try:
        run = client.run(graph)
    except Refused as refusal:
        return str(refusal)
    assert run.status is Status.ERROR
    assert run.error is not None
    return run.error.message
