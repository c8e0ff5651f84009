"""Workflows with subgraphs in them, laid out flat, as the UI does it before it converts a workflow for the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.comfyui.graphs import Workflow

INPUTS, OUTPUTS = -10, -20
"""Inside a subgraph, the ids from which its inputs come and to which its outputs go."""

Origin = tuple[int | str, int]
"""A node's id, and which of its outputs."""


@dataclass(frozen=True)
class Subgraph:
    """One node of a workflow that stands for a subgraph, and what is inside."""

    node: Workflow
    definition: Workflow

    def id_of(self, inner: int) -> str:
        """The id of a node inside, as seen from outside."""
        return f"{self.node['id']}:{inner}"

    def output(self, slot: int) -> Origin:
        """Which node inside an output comes from."""
        (link,) = (
            link for link in self.definition["links"] if (link["target_id"], link["target_slot"]) == (OUTPUTS, slot)
        )
        return self.id_of(link["origin_id"]), link["origin_slot"]

    def source(self, link_id: int | None, entries: Mapping[str, Origin | None]) -> Origin | None:
        """Where a link inside comes from; `entries` says it of each input from outside."""
        if link_id is None:
            return None
        (link,) = (link for link in self.definition["links"] if link["id"] == link_id)
        if link["origin_id"] == INPUTS:
            return entries[self.definition["inputs"][link["origin_slot"]]["name"]]
        return self.id_of(link["origin_id"]), link["origin_slot"]


def flat(workflow: Workflow) -> Workflow:
    """The same workflow with the nodes inside its subgraphs in their place: node 2 in subgraph node 1 becomes "1:2".

    Subgraphs must not hold further ones. A widget that the subgraph shows keeps the value that it has inside.
    """
    definitions = {each["id"]: each for each in workflow["definitions"]["subgraphs"]}
    subgraphs = {
        node["id"]: Subgraph(node, definitions[node["type"]])
        for node in workflow["nodes"]
        if node["type"] in definitions
    }
    origins = {link[0]: (link[1], link[2]) for link in workflow["links"]}
    nodes: list[Workflow] = []
    links: list[list[object]] = []

    def origin(link_id: int | None) -> Origin | None:
        if link_id is None:
            return None
        node_id, slot = origins[link_id]
        return subgraphs[node_id].output(slot) if node_id in subgraphs else (node_id, slot)

    def place(node: Workflow, node_id: int | str, sources: Iterable[Origin | None]) -> None:
        inputs = [given | {"link": None} for given in node["inputs"]]
        for slot, source in enumerate(sources):
            if source:
                inputs[slot]["link"] = len(links) + 1
                links.append([len(links) + 1, *source, node_id, slot, inputs[slot]["type"]])
        nodes.append(node | {"id": node_id, "inputs": inputs})

    for node in workflow["nodes"]:
        if subgraph := subgraphs.get(node["id"]):
            entries = {given["name"]: origin(given["link"]) for given in node["inputs"]}
            for inner in subgraph.definition["nodes"]:
                sources = (subgraph.source(given["link"], entries) for given in inner["inputs"])
                place(inner, subgraph.id_of(inner["id"]), sources)
        else:
            place(node, node["id"], (origin(given["link"]) for given in node["inputs"]))
    return workflow | {"nodes": nodes, "links": links}
