"""ComfyUI's web UI as a user sees and handles it.

What the user sees is read from the page; what is in the graph, from the UI's own `app`, since the graph is drawn on a
canvas. Both are the same in the UI of ComfyUI 0.3.75 and in those of 2026.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, FloatRect, Locator, Page, expect

from tests.browser import scripts

AWAY = 720, 790
"""A place on the page where nothing is. A tab that is pointed at shows a preview, which counts as a dialog."""
MOST_DIALOGS = 10
CLOSING = 2000
"""Milliseconds that a dialog may take to close."""
AMISS = re.compile("missing|not found|couldn't|failed|error", re.IGNORECASE)


@dataclass(frozen=True)
class Ui:
    """The UI in one page, ready."""

    page: Page

    @classmethod
    def opened(cls, page: Page, url: str) -> Ui:
        """Opens the UI with an empty graph."""
        ui = cls(page)
        page.goto(url)
        ui.listen()
        ui.command("Comfy.ClearWorkflow")
        page.wait_for_function("() => app.graph.nodes.length === 0")
        return ui

    def start_over(self, *, nodes_2: bool = False) -> None:
        """Leaves what is open and opens an empty graph in a tab of its own, in the classic canvas or in Nodes 2.0."""
        self.close_dialogs()
        self.set("Comfy.VueNodes.Enabled", nodes_2)
        self.dismiss_banner()
        self.page.evaluate("() => (({toast}) => (toast.dismissAll ?? toast.removeAll)())(app.extensionManager)")
        self.command("Comfy.NewBlankWorkflow")
        self.page.wait_for_function("() => app.graph.nodes.length === 0")

    def close_dialogs(self) -> None:
        """Closes what is open over the page, the uppermost first."""
        for _ in range(MOST_DIALOGS):
            if not (open_ones := self.dialog.count()):
                return
            self.page.mouse.move(*AWAY)
            self.page.keyboard.press("Escape")
            try:
                expect(self.dialog).not_to_have_count(open_ones, timeout=CLOSING)
            except AssertionError:  # some UIs hear the key only while something in the dialog has the focus
                self.dialog.get_by_role("button", name="Close").last.click()
        raise AssertionError(f"does not close: {self.dialog.last.inner_text()}")

    def listen(self) -> None:
        """Waits until a page that was just loaded is ready, and hears of its runs from now on."""
        self.page.wait_for_function(scripts.READY)
        self.page.evaluate(scripts.LISTEN)

    @property
    def has_nodes_2(self) -> bool:
        """Whether the nodes are Nodes 2.0."""
        return bool(self.page.evaluate("() => LiteGraph.vueNodesMode"))

    def set(self, setting: str, value: object) -> None:
        """Changes one of ComfyUI's settings, as its page of settings does."""
        self.page.evaluate(scripts.SET, [setting, value])

    @property
    def tab(self) -> str:
        """The name on the tab that is open."""
        return str(self.page.evaluate("() => app.extensionManager.workflow.activeWorkflow.filename"))

    def open_tab(self, name: str) -> None:
        """Clicks on a tab."""
        self.page.locator(".workflow-label", has_text=re.compile(rf"^\W*{re.escape(name)}\W*$")).click()
        self.page.mouse.move(*AWAY)
        self.page.wait_for_function(
            "(name) => app.extensionManager.workflow.activeWorkflow.filename === name", arg=name
        )

    def dismiss_banner(self) -> None:
        """Closes the advertisement of ComfyUI's own that some versions show at the top."""
        banner = self.page.get_by_text("Introducing Nodes 2.0").locator("xpath=ancestor::*[.//button][1]/..")
        if banner.is_visible():
            banner.get_by_role("button").last.click()

    def command(self, name: str) -> None:
        """Runs one of the UI's commands, as a menu entry or a shortcut does."""
        self.page.evaluate("(name) => app.extensionManager.command.execute(name)", name)

    @property
    def dialog(self) -> Locator:
        """The dialog that is open."""
        return self.page.get_by_role("dialog")

    # The graph

    def open_template(self, title: str) -> None:
        """Picks a template of this pack from the template browser."""
        self.page.get_by_role("button", name="Templates", exact=True).click()
        self.dialog.get_by_text("seedance", exact=True).click()
        template = self.dialog.get_by_role("heading", name=title, exact=True)
        template.click()
        template.wait_for(state="hidden")  # not any dialog: that of an app's tour may be there already
        self.page.wait_for_function(
            "(title) => app.extensionManager.workflow.activeWorkflow.filename.startsWith(title)", arg=title
        )

    def open_workflow(self, workflow: Mapping[str, Any]) -> None:
        """Opens a workflow as the UI saves it."""
        self.page.evaluate("(workflow) => app.loadGraphData(workflow)", workflow)

    def load(self, graph: Mapping[str, Any]) -> None:
        """Opens a graph in the API's format, as dropping such a file on the page does."""
        self.page.evaluate("(graph) => app.loadApiJson(graph, 'graph')", graph)
        self.page.wait_for_function("(count) => app.graph.nodes.length === count", arg=len(graph))
        self.page.evaluate(scripts.LAY_OUT)
        self.settle()  # where a node is, the canvas knows once it is drawn
        self.command("Comfy.Canvas.FitView")

    def drop(self, file: Path) -> None:
        """Drops a file onto the canvas."""
        content = base64.b64encode(file.read_bytes()).decode()
        dropped = self.page.evaluate_handle(scripts.AS_DROPPED, [file.name, content])
        self.page.dispatch_event("#graph-canvas", "drop", {"dataTransfer": dropped})

    def add_node(self, node_type: str) -> None:
        """Puts a node into the graph."""
        self.page.evaluate(scripts.ADD, node_type)

    def convert_to_subgraph(self, node_type: str) -> str:
        """Puts a node into a subgraph of its own, as its menu does; returns the type of the node that this becomes."""
        return str(self.page.evaluate(scripts.CONVERT, node_type))

    def as_api(self) -> dict[str, dict[str, Any]]:
        """The graph as the UI itself would post it, without the titles."""
        graph: dict[str, dict[str, Any]] = self.page.evaluate("async () => (await app.graphToPrompt()).output")
        return {node_id: {key: node[key] for key in ("class_type", "inputs")} for node_id, node in graph.items()}

    def type_prompt(self, text: str, *, pause: float = 0) -> None:
        """Types into the text of the only node that has one, notes aside; `pause`: milliseconds after each letter."""
        field = self.page.locator("textarea:visible:not(.comfy-markdown *)").first
        with suppress(Error):  # that of the graph before may be on its way out
            field.click(timeout=5000)
        field.click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text, delay=pause)
        expect(field).to_have_value(text)
        self.page.keyboard.press("Tab")

    def widgets(self, node_type: str) -> dict[str, Any]:
        """What the widgets of a node say."""
        return dict(self.page.evaluate(scripts.WIDGETS, node_type))

    def choose(self, node_type: str, name: str, value: object) -> None:
        """Sets a widget as its own control does, which tells the node."""
        self.page.evaluate(scripts.CHOOSE, [node_type, name, value])

    def node_types(self) -> list[str]:
        """The type of each node of the graph."""
        return list(self.page.evaluate("() => app.graph.nodes.map((node) => node.type)"))

    def unknown_nodes(self) -> list[str]:
        """The nodes of the graph that this ComfyUI does not have."""
        return list(self.page.evaluate(scripts.UNKNOWN))

    def complaints(self) -> Locator:
        """Whatever the UI says is missing or wrong, in a dialog or a message."""
        return self.page.get_by_role("dialog").or_(self.page.get_by_text(AMISS))

    # A run

    def run(self) -> None:
        """Presses Run."""
        self.page.evaluate("() => { heard.ending = null }")
        buttons = self.page.get_by_test_id("queue-button")
        buttons.get_by_role("button", name="Run").or_(buttons.and_(self.page.get_by_role("button"))).first.click()

    def line(self, beginning: str) -> Locator:
        """The line of text that a node shows, if it begins so."""
        return (
            self.page.locator("span, p", has_text=re.compile(rf"^{re.escape(beginning)}")).locator("visible=true").first
        )

    def message(self, text: str) -> Locator:
        """The message in a corner of the page that says so."""
        return self.page.locator("[data-testid=toast], .p-toast-message:not(.p-toast-message-leave-active)").filter(
            has_text=text
        )

    def wait_for_end(self) -> str:
        """Waits for the run's end and says how it ended, by the name of ComfyUI's event."""
        return str(self.page.wait_for_function("() => window.heard.ending").json_value())

    def posts(self) -> list[dict[str, Any]]:
        """The prompts that have been posted since the page was loaded."""
        return list(self.page.evaluate("() => window.heard.posts"))

    def settle(self) -> None:
        """Waits until the UI has done what it does after a run, and drawn it."""
        self.page.evaluate(scripts.DRAWN)

    def lines(self) -> list[str]:
        """All lines that nodes of this pack have shown during the last run."""
        return list(self.page.evaluate("() => window.heard.lines"))

    def place_of(self, node_type: str) -> FloatRect:
        """Where a node is on the page, without its title."""
        place: FloatRect = self.page.evaluate(scripts.PLACE, node_type)
        return place

    def expect_on(self, node_type: str, shown: Locator) -> None:
        """Something is seen on a node, rather than elsewhere or nowhere, once the UI has drawn both at their places."""
        expect(shown).to_be_visible()
        self.page.wait_for_function(scripts.IS_ON, arg=[node_type, shown.element_handle()])

    # Around the graph

    def open_settings(self, category: str) -> Locator:
        """Opens Settings at a category, and returns the dialog."""
        self.command("Comfy.ShowSettingsDialog")
        self.dialog.get_by_text(category, exact=True).first.click()
        return self.dialog

    def search_library(self, text: str) -> None:
        """Opens the node library and searches it."""
        self.command("Workspace.ToggleSidebarTab.node-library")
        self.page.locator("input[placeholder]:visible").first.fill(text)
