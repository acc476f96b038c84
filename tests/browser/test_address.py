"""Links, TensorBoard's own part of the address, its dark mode, and a path prefix."""

import re
from urllib.parse import unquote

from playwright.sync_api import Browser, expect

from tests.browser.conftest import wait_until_read
from tests.browser.tab import Tab, drawn, epoch, set_slider
from tests.browser.training import PROBES, Training
from tests.support.serving import tensorboard, wait_until

CANVAS = ".tile:nth-child(1) canvas"


def test_a_reloaded_link_shows_the_same(browser: Browser, tab: Tab, address: str) -> None:
    frame = tab.open(address)
    frame.get_by_role("radio", name="honest/lime").check()
    frame.get_by_role("button", name="Positive").click()
    set_slider(frame, "Opacity", 0.4)
    set_slider(frame, "Epoch", 1)
    expect(frame.locator(CANVAS)).to_have_attribute("aria-label", re.compile("at epoch 1$"))
    seen = drawn(frame, CANVAS)
    wait_until(lambda: "lime_epoch=1" in tab.hash, seconds=10)
    assert unquote(tab.hash) == "keras_lime&lime_run=honest/lime&lime_epoch=1&lime_sign=positive&lime_opacity=0.4"
    with Tab(browser) as other:
        other.page.goto(tab.page.url)
        again = other.frame()
        expect(again.locator(CANVAS)).to_have_attribute("aria-label", re.compile("at epoch 1$"))
        assert epoch(again) == 1
        assert drawn(again, CANVAS) == seen
        assert other.problems == []


def test_the_link_button_names_run_and_epoch(browser: Browser, fast_address: str) -> None:
    with Tab(browser, permissions=["clipboard-read", "clipboard-write"]) as tab:
        frame = tab.open(fast_address)
        expect(frame.locator(".steps output b")).to_be_visible()
        frame.get_by_role("button", name="Link").click()
        expect(frame.get_by_role("button", name="Copied")).to_be_visible()
        link = frame.evaluate("navigator.clipboard.readText()")
        assert unquote(link).endswith("#keras_lime&lime_run=biased/lime&lime_epoch=3")


def test_where_nothing_can_be_copied_the_link_is_shown(tab: Tab, fast_address: str) -> None:
    frame = tab.open(fast_address)
    frame.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('denied')))")
    expect(frame.locator(".steps output b")).to_be_visible()
    frame.get_by_role("button", name="Link").click()
    expect(frame.get_by_label("Link to this view")).to_have_value(re.compile("#keras_lime&lime_run="))


def test_another_address_of_the_tab_is_followed(tab: Tab, fast_address: str) -> None:
    frame = tab.open(fast_address)
    tab.page.evaluate("location.hash = '#keras_lime&lime_page=shortcut'")
    expect(frame.get_by_role("tab", name="Shortcuts")).to_have_attribute("aria-selected", "true")


def test_another_tab_leaves_the_view_alone_and_is_left_alone(own_tab: Tab, fast_address: str) -> None:
    frame = own_tab.open(fast_address, "lime_size=large")
    frame.get_by_role("button", name="Positive").click()
    wait_until(lambda: "lime_sign=positive" in own_tab.hash, seconds=20)
    own_tab.page.get_by_role("tab", name="Scalars").click()
    wait_until(lambda: own_tab.hash.startswith("scalars"), seconds=20)
    frame.get_by_role("button", name="Negative").evaluate("button => button.click()")
    own_tab.page.wait_for_timeout(600)
    assert own_tab.hash.startswith("scalars")
    assert "lime_sign=negative" not in own_tab.hash
    own_tab.page.get_by_role("tab", name="LIME").click()
    wait_until(lambda: "lime_sign=negative" in own_tab.hash, seconds=20)
    expect(frame.get_by_role("button", name="Negative")).to_have_attribute("aria-pressed", "true")
    expect(frame.get_by_role("button", name="Large")).to_have_attribute("aria-pressed", "true")


def test_the_page_is_dark_where_tensorboard_is(own_tab: Tab, fast_address: str) -> None:
    frame = own_tab.open(fast_address, query="darkMode=true")
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    assert frame.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(48, 48, 48)"
    own_tab.page.get_by_role("button", name="Menu for changing light or dark theme").click()
    own_tab.page.get_by_role("menuitem", name="Light").click()
    expect(frame.locator("html")).to_have_attribute("data-theme", "light")
    assert frame.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(245, 245, 245)"


def test_the_page_works_behind_a_path_prefix(own_tab: Tab, training: Training) -> None:
    with tensorboard(training.log_dir, "--path_prefix=/behind/a_proxy") as address:
        wait_until_read(address, training.log_dir)
        frame = own_tab.open(address)
        expect(frame.locator(".tile canvas")).to_have_count(PROBES)
    # TensorBoard asks for its own fonts at the root, whatever the prefix.
    own_tab.problems = [problem for problem in own_tab.problems if "/font-roboto/" not in problem]


def test_the_page_stands_alone_too(own_tab: Tab, fast_address: str) -> None:
    own_tab.page.goto(f"{fast_address}/data/plugin_entry.html?name=keras_lime#lime_run=honest/lime&lime_epoch=0")
    expect(own_tab.page.locator(".tile canvas")).to_have_count(PROBES)
    expect(own_tab.page.locator(".steps output b")).to_have_text("0")
    # The browser's own question, before any script ran.
    own_tab.problems = [problem for problem in own_tab.problems if "/favicon.ico" not in problem]
