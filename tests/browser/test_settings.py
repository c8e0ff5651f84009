"""The token in Settings > Seedance, and everywhere that it must not be."""

from __future__ import annotations

import json
import os
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.conftest import SIZE, TOKEN
from tests.browser.screenshots import Screenshots
from tests.browser.test_node_view import first_frame
from tests.browser.ui import Ui
from tests.comfyui.conftest import ServiceLog
from tools.comfyui import ComfyUI

STORAGE = """async () => {
    const found = [document.cookie, ...[localStorage, sessionStorage].map((each) => JSON.stringify({...each}))]
    for (const {name} of await indexedDB.databases()) {
        const opened = indexedDB.open(name)
        await new Promise((done) => opened.onsuccess = done)
        for (const store of opened.result.objectStoreNames) {
            const all = opened.result.transaction(store).objectStore(store).getAll()
            await new Promise((done) => all.onsuccess = done)
            found.push(JSON.stringify(all.result))
        }
        opened.result.close()
    }
    for (const name of await caches.keys())
        for (const request of await (await caches.open(name)).keys()) found.push(request.url)
    return found.join()
}"""


def test_a_token_is_saved_checked_and_cleared(ui: Ui, token_file: Path, screenshots: Screenshots) -> None:
    panel = ui.open_settings("Seedance").locator(".seedance-token")
    state, status = panel.locator(".seedance-token-state"), panel.get_by_role("status")
    check = panel.get_by_role("button", name="Check")
    expect(panel).to_contain_text("No token.")
    expect(check).to_be_disabled()
    save(panel, "another-token-than-the-account's")
    check.click()
    expect(status).to_contain_text("did not accept the token")
    expect(state).to_have_attribute("data-mood", "bad")
    save(panel, TOKEN)
    expect(state).to_contain_text("In use: the saved token")
    expect(state).to_have_attribute("data-mood", "good")
    screenshots.take("settings", ui.dialog)  # before Check, which tells the price of the service on this machine
    assert token_file.read_text() == TOKEN
    assert os.name == "nt" or token_file.stat().st_mode & 0o777 == 0o600
    check.click()
    expect(status).to_contain_text("RunComfy accepts the token from Settings > Seedance")
    panel.get_by_role("button", name="Remove token").click()
    expect(panel).to_contain_text("No token.")
    assert not token_file.exists()


def test_the_budget_is_told_and_set(ui: Ui) -> None:
    """What it stops is in `tests/jobs/test_budget.py`."""
    panel = ui.open_settings("Seedance").locator(".seedance-budget")
    field = panel.get_by_role("spinbutton", name="Limit in US dollars in any 24 hours")
    for usd in ("0.02", "50"):
        field.fill(usd)
        field.press("Enter")
        expect(panel.get_by_role("status")).to_have_text("Saved.")
        expect(panel).to_contain_text(f"of ${float(usd):.2f} spent in the last 24 hours.")


def test_the_panel_fits_a_small_window(ui: Ui, token_file: Path) -> None:
    ui.page.set_viewport_size({"width": 1024, "height": 768})
    try:
        panel = ui.open_settings("Seedance")
        for part in panel.locator(".seedance-settings :is(input, button, a)").all():
            inner, outer = part.bounding_box(), panel.bounding_box()
            assert inner
            assert outer
            assert outer["x"] <= inner["x"]
            assert inner["x"] + inner["width"] <= outer["x"] + outer["width"] - 8
    finally:
        ui.page.set_viewport_size(SIZE)


def test_the_token_is_nowhere_but_in_its_file(
    ui: Ui, server: ComfyUI, token_file: Path, service_log: ServiceLog, prompt: str, tmp_path: Path
) -> None:
    """Wherever the token is looked for, the prompt is found: so the search itself works. What the server writes and
    answers is in `tests/hostile`."""
    page, sent = ui.page, list[tuple[str, str]]()
    page.on("request", lambda request: sent.append((request.url, request.url + (request.post_data or ""))))
    ui.set("Comfy.PromptFilename", False)  # export asks for no name
    save(ui.open_settings("Seedance"), TOKEN)
    ui.close_dialogs()
    ui.load(first_frame(prompt))
    ui.run()
    assert ui.wait_for_end() == "execution_success", ui.lines()
    assert len(service_log.submissions) == 1
    with page.expect_download() as download:
        ui.command("Comfy.ExportWorkflow")
    exported = tmp_path / "exported.json"
    download.value.save_as(exported)

    places = {
        "what the page keeps": page.evaluate(STORAGE),
        "the exported workflow": exported.read_text(),
        "the graph": json.dumps(page.evaluate("async () => app.graphToPrompt()")),
    }
    assert [name for name, content in places.items() if TOKEN in content] == []
    assert [name for name, content in places.items() if prompt not in content] == []
    assert [url for url, body in sent if TOKEN in body] == [f"{server.url}/api/seedance/token"]
    assert TOKEN not in page.content()


def save(panel: Locator, token: str) -> None:
    """Types a token and saves it; the field hides it and is empty afterwards."""
    field = panel.get_by_role("textbox", name="RunComfy API token")
    expect(field).to_have_attribute("type", "password")
    field.fill(token)
    panel.get_by_role("button", name="Save", exact=True).click()
    expect(panel.locator(".seedance-result").first).to_have_text("Saved.")
    expect(field).to_have_value("")
