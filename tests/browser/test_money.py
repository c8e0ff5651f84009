"""What a run costs, said on the node before Run, and the limit of what may be spent, in Settings."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser.screenshots import Screenshots
from tests.browser.test_node_view import first_frame
from tests.browser.ui import Ui
from tests.comfyui.conftest import ServiceLog
from tests.comfyui.seedance_graphs import node

NODE = "SeedanceTextToVideo"
OPTIONS = "SeedanceOptions"
SERIALIZED = "() => JSON.stringify(app.graph.serialize())"


def test_the_price_follows_the_widgets(
    both: Ui, service_log: ServiceLog, token: str, prompt: str, screenshots: Screenshots
) -> None:
    ui = both
    ui.load(first_frame("to be replaced", count=4))
    quote = ui.page.locator(".seedance-quote").locator("visible=true")
    expect_price(quote, "$0.16: 4 videos of 2 s, 480p")
    ui.type_prompt(prompt)
    ui.choose(OPTIONS, "duration", 7)
    expect(quote).to_have_text("From $0.56: 4 videos of 7 s, 480p")
    ui.expect_on(NODE, quote)
    screenshots.take("price", ui.page)
    ui.choose(NODE, "mode", "rehearsal")
    expect(quote).to_have_text("Free: rehearsal")
    ui.choose(NODE, "mode", "live")
    ui.choose(OPTIONS, "duration", 2)
    ui.choose(OPTIONS, "count", 1)
    expect_price(quote, "$0.04: 1 video of 2 s, 480p")
    service_log.service.hold()
    ui.run()
    expect(quote).to_have_text("Free: is being made")
    service_log.service.release()
    assert ui.wait_for_end() == "execution_success"
    expect(quote).to_have_text("Free: already made")
    ui.choose(OPTIONS, "count", 4)
    expect(quote).to_have_text("About $0.12: 3 of 4 videos of 2 s, 480p")
    assert "About" not in ui.page.evaluate(SERIALIZED)
    assert "About" not in str(ui.posts())


def test_a_price_is_told_where_the_values_come_through_links(both: Ui, token: str, prompt: str) -> None:
    ui = both
    graph = first_frame(["made", 0]) | {"made": node("StringConcatenate", string_a=prompt, string_b="", delimiter="")}
    ui.load(graph)
    quote = ui.page.locator(".seedance-quote").locator("visible=true")
    expect_price(quote, "$0.04 per video")
    ui.load(first_frame(["made", 0]) | {"made": node("PrimitiveString", value=prompt)})
    expect_price(quote, "$0.04: 1 video of 2 s, 480p")
    ui.load(first_frame(prompt))  # a node less: where they are small, Nodes 2.0 show no widgets
    subgraph = ui.convert_to_subgraph(NODE)
    ui.expect_on(subgraph, quote)
    expect_price(quote, "$0.04: 1 video of 2 s, 480p")


def expect_price(quote: Locator, price: str) -> None:
    """By what such videos have cost, if another test has made one, else by the list."""
    expect(quote).to_have_text(re.compile(f"^(About|From) {re.escape(price)}$"))
