"""Finding probes and runs, coming back to where one was, keys, and whether everybody can use it."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Frame, expect

from tests.browser.tab import Tab, drawn, set_slider
from tests.support.serving import get_json, tensorboard, wait_until
from tests.support.synthetic_logs import CLASS_NAMES, Settings, SyntheticProbe, make_probes, result_arrays, write_run

SETTINGS = Settings(n_probes=60, epochs=4, n_segments=12, size=32)
RUNS = ("a/lime", "b/lime", "many/c1/lime", "many/c2/lime", "many/c3/lime", "many/c4/lime")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log_dir = tmp_path_factory.mktemp("finding")
    for index, run in enumerate(RUNS):
        write_run(log_dir / run, Settings(**{**vars(SETTINGS), "looks_at_object": 0.9 - 0.15 * index}))
    with tensorboard(log_dir) as served:

        def is_read() -> bool:
            runs = get_json(served, "data/plugin/keras_lime/manifest")["runs"]
            return [run["steps_hint"] for run in runs] == [SETTINGS.epochs] * len(RUNS)

        wait_until(is_read, seconds=120)
        yield served


def opened(tab: Tab, address: str, view: str = "lime_run=a/lime") -> Frame:
    frame = tab.open(address, view)
    expect(frame.locator(".tile .prediction b").first).to_be_visible()
    expect(frame.locator(".tile canvas").first).to_be_visible()
    return frame


def predicted(probe: SyntheticProbe, epoch: int = SETTINGS.epochs - 1) -> int:
    return int(result_arrays(Settings(**{**vars(SETTINGS), "looks_at_object": 0.9}), probe, epoch)[0]["predicted"])


def test_search_and_the_confusion_matrix_choose_probes_and_figures_are_of_these(tab: Tab, address: str) -> None:
    frame = opened(tab, address)
    probes = make_probes(SETTINGS)
    frame.get_by_label("Search").fill("yield 3")
    named = [probe for probe in probes if _finds("yield 3", probe)]
    expect(frame.locator(".tile")).to_have_count(len(named))
    frame.get_by_label("Search").fill("")
    label, taken_for = next((probe.label, predicted(probe)) for probe in probes if predicted(probe) != probe.label)
    chosen = [probe for probe in probes if (probe.label, predicted(probe)) == (label, taken_for)]
    frame.get_by_text("Confusion matrix").click()
    cell = f"{CLASS_NAMES[label]} predicted as {CLASS_NAMES[taken_for]}: {len(chosen)}"
    frame.locator(".cell.mistaken:not([disabled])").and_(frame.get_by_label(cell, exact=True)).click()
    expect(frame.locator(".tile")).to_have_count(len(chosen))
    expect(frame.locator(".facts")).to_contain_text(f"{len(chosen)} of {len(probes)}")
    expect(frame.locator(".facts")).to_contain_text("Predicted right0 %")


def _finds(search: str, probe: SyntheticProbe) -> bool:
    text = " ".join([probe.name, CLASS_NAMES[probe.label], CLASS_NAMES[predicted(probe)]])
    return all(word in text or probe.id.startswith(word) for word in search.split())


def test_nothing_is_fetched_for_tiles_that_are_not_seen(tab: Tab, address: str) -> None:
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    frame = opened(tab, address)
    frame.get_by_label("Sort").select_option("Strongest weight")
    expect(frame.locator(".tile canvas").first).to_be_visible()
    tab.page.wait_for_timeout(1000)
    series = [url for url in asked if "/series?" in url]
    assert 0 < len(series) < SETTINGS.n_probes


def test_back_and_forward_walk_and_closing_comes_back_to_the_tile(tab: Tab, address: str) -> None:
    frame = opened(tab, address)
    probe = make_probes(SETTINGS)[45]
    tile = frame.locator(f"[data-probe='{probe.id}']")
    tile.scroll_into_view_if_needed()
    tab.page.wait_for_timeout(800)
    assert frame.evaluate("document.querySelector('main').scrollTop") > 300
    before = top_of(frame, probe.id)
    tile.click()
    expect(frame.get_by_role("heading", name=probe.name)).to_be_visible()
    assert frame.evaluate("document.querySelector('main').scrollTop") == 0
    set_slider(frame, "Epoch", 1)
    tab.page.keyboard.press("Escape")
    expect(frame.locator(".grid")).to_be_visible()
    tab.page.wait_for_timeout(500)
    assert abs(top_of(frame, probe.id) - before) < 40
    assert frame.evaluate("document.activeElement.dataset.probe") == probe.id
    frame.get_by_role("tab", name="Compare").click()
    wait_until(lambda: "lime_page=compare" in tab.hash, seconds=10)
    tab.page.go_back()
    expect(frame.get_by_role("tab", name="Overview")).to_have_attribute("aria-selected", "true")
    tab.page.go_back()
    expect(frame.get_by_role("heading", name=probe.name)).to_be_visible()
    assert f"lime_probe={probe.id}" in unquote(tab.hash)
    tab.page.go_forward()
    expect(frame.locator(".grid")).to_be_visible()


def top_of(frame: Frame, probe: str) -> float:
    return float(frame.locator(f"[data-probe='{probe}']").evaluate("tile => tile.getBoundingClientRect().top"))


def test_keys_show_originals_walk_probes_and_are_listed(tab: Tab, address: str) -> None:
    frame = opened(tab, address)
    first = ".tile:nth-child(1) canvas"
    shown = drawn(frame, first)
    frame.locator(".facts").click()
    tab.page.keyboard.down("o")
    wait_until(lambda: drawn(frame, first) == make_probes(SETTINGS)[0].picture.ravel().tolist(), seconds=5)
    tab.page.keyboard.up("o")
    wait_until(lambda: drawn(frame, first) == shown, seconds=5)
    tab.page.keyboard.press("?")
    expect(frame.get_by_role("dialog", name="Keys")).to_contain_text("next or previous probe")
    tab.page.keyboard.press("Escape")
    frame.locator(".tile").first.click()
    tab.page.keyboard.press("n")
    expect(frame.get_by_role("heading", name=make_probes(SETTINGS)[1].name)).to_be_visible()
    tab.page.keyboard.press("p")
    expect(frame.get_by_role("heading", name=make_probes(SETTINGS)[0].name)).to_be_visible()


def test_press_and_hold_shows_the_original_and_opens_nothing(tab: Tab, address: str) -> None:
    frame = opened(tab, address)
    first = ".tile:nth-child(1) canvas"
    shown = drawn(frame, first)
    frame.locator(first).hover()
    tab.page.mouse.down()
    wait_until(lambda: drawn(frame, first) == make_probes(SETTINGS)[0].picture.ravel().tolist(), seconds=5)
    tab.page.mouse.up()
    wait_until(lambda: drawn(frame, first) == shown, seconds=5)
    expect(frame.locator(".grid")).to_be_visible()


def test_the_scale_stands_in_numbers(tab: Tab, address: str) -> None:
    frame = opened(tab, address)
    badges = frame.locator(".scale-badge")
    texts = {badges.nth(index).inner_text() for index in range(4)}
    assert len(texts) > 1
    frame.get_by_label("Scale", exact=True).select_option("All probes")
    expect(frame.locator(".legend")).to_contain_text(re.compile(r"against −0\.\d+.*for \+0\.\d+"))
    wait_until(lambda: len({badges.nth(index).inner_text() for index in range(4)}) == 1, seconds=10)


def test_runs_stand_in_a_table_that_sorts_and_a_filter_that_is_an_expression(tab: Tab, address: str) -> None:
    frame = opened(tab, address)
    frame.get_by_label("Filter").fill("c[12]")
    expect(frame.locator(".runs label")).to_have_count(3)
    frame.get_by_label("Filter").fill("c[")
    expect(frame.locator(".sidebar .problem")).to_have_text("This is no regular expression.")
    frame.get_by_label("Filter").fill("")
    frame.get_by_role("tab", name="Shortcuts").click()
    rows = frame.locator(".run-table tbody tr")
    expect(rows).to_have_count(len(RUNS))
    frame.locator(".run-table").get_by_role("button", name="Object share").click()
    expect(frame.locator(".run-table th[aria-sort=descending]")).to_have_count(1)
    wait_until(lambda: "…" not in " ".join(rows.all_inner_texts()), seconds=20)
    shares = [float(row.locator("td").nth(3).inner_text().split()[0]) for row in rows.all()]
    assert shares == sorted(shares, reverse=True)


def test_pinned_probes_stand_first(tab: Tab, address: str) -> None:
    frame = tab.open(address, f"lime_run=a/lime&lime_probe={make_probes(SETTINGS)[7].id}")
    frame.get_by_role("button", name="Pin").click()
    tab.page.keyboard.press("Escape")
    expect(frame.locator(".tile > .name").first).to_have_text(make_probes(SETTINGS)[7].name)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(browser: Browser, address: str, theme: str) -> None:
    script = Path(AXE_FILE_PATH).read_text(encoding="utf-8")
    with Tab(browser) as tab:
        pages = (f"&lime_page={page}" for page in ("overview", "shortcut", "classes", "objects", "compare"))
        for view in (*pages, f"&lime_probe={make_probes(SETTINGS)[0].id}"):
            query = "darkMode=true" if theme == "dark" else ""
            frame = tab.open(address, f"lime_run=a/lime{view}", query=query)
            expect(frame.locator("canvas, svg[role=img]").first).to_be_visible()
            frame.evaluate(script)
            found = frame.evaluate("axe.run(document, {resultTypes: ['violations']})")
            told = [
                f"{each['id']}: {node['html'][:120]} {node['failureSummary'][-200:]}"
                for each in found["violations"]
                for node in each["nodes"]
            ]
            assert told == [], view


@pytest.mark.parametrize("width", [380, 520])
def test_a_narrow_window_has_a_drawer_and_nothing_beside_the_screen(browser: Browser, address: str, width: int) -> None:
    with Tab(browser, width=width, height=800) as tab:
        frame = tab.open(address, "lime_run=a/lime")
        expect(frame.locator(".tile canvas").first).to_be_visible()
        expect(frame.locator(".sidebar")).to_be_hidden()
        frame.get_by_role("button", name="Controls").click()
        expect(frame.get_by_label("Search")).to_be_visible()
        frame.get_by_role("button", name="Controls").click()
        expect(frame.locator(".sidebar")).to_be_hidden()
        assert frame.evaluate("document.querySelector('main').scrollWidth <= window.innerWidth")
