"""Alarms, curves, swapped pictures, corners, groups and what cannot be measured, on logs of the callback itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from playwright.sync_api import Browser, Frame, expect

from keras_lime import ProbeSet
from keras_lime.core.explanation import Explanation
from keras_lime.core.image import image_id
from keras_lime.exceptions import LimeWarning
from tests.browser.tab import Tab, drawn, set_slider
from tests.browser.training import as_logged
from tests.support.serving import get_json, tensorboard, wait_until
from tests.support.synthetic_logs import Settings, write_run
from tests.support.worlds import background_reader, corner_reader, object_reader, squares
from tests.training.test_callback_shortcut import callback, follow, probes


@dataclass(frozen=True, eq=False)
class Readers:
    """What the tests look at: the address of a TensorBoard, and explanations with superpixels that cannot be judged."""

    address: str
    explanations: tuple[Explanation, ...]


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readers]:
    log_dir = tmp_path_factory.mktemp("readers")
    follow(background_reader(), log_dir / "background")
    follow(object_reader(), log_dir / "object", accuracies=(0.3, 0.4, 0.4))
    follow(corner_reader(), log_dir / "corner", probe_set=probes(masks=None, outlines=None))
    follow(object_reader(), log_dir / "blank masks", probe_set=probes(masks=np.zeros((32, 32, 32), bool)))
    images, labels, masks = squares(44, n_classes=2)
    # The mean of a flat square is the square: some tests look at how the page shows what cannot be judged.
    follow(corner_reader(), log_dir / "marker")
    many = callback(log_dir / "many", ProbeSet(images, labels, masks=masks), num_samples=64, baseline="mean")
    with pytest.warns(LimeWarning, match="look the same hidden as shown"):
        explanations = many.explain(object_reader(), 0, {"accuracy": 0.9})
    many.close()
    guessed = callback(log_dir / "estimated", probes(masks=None))
    guessed.explain(object_reader(), 0, {"accuracy": 0.9})
    guessed.close()
    twice = callback(log_dir / "twice")
    for _ in range(2):
        for epoch in range(2):
            twice.explain(object_reader(), epoch, {"accuracy": 0.9})
        twice.close()
    write_run(log_dir / "old" / "lime", Settings(older=True, n_probes=4, epochs=3, n_segments=12, size=32))
    with tensorboard(log_dir) as address:
        wait_until(partial(is_read, address), seconds=120)
        yield Readers(address, tuple(as_logged(each) for each in explanations))


def is_read(address: str) -> bool:
    runs = get_json(address, "data/plugin/keras_lime/manifest")["runs"]
    return sorted(run["steps_hint"] or 0 for run in runs) == [1, 1, 3, 3, 3, 3, 3, 3, 4]


def opened(tab: Tab, readers: Readers, run: str, page: str = "shortcut", view: str = "") -> Frame:
    chosen = f'lime_run={run}/lime&lime_runs=["{run}/lime"]'
    frame = tab.open(readers.address, f"lime_page={page}&{chosen}{view}")
    expect(frame.locator(".steps output b").first).to_be_visible()
    return frame


def test_nobody_overlooks_the_alarm(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "background", "overview")
    banner = frame.get_by_label("Shortcut alarm", exact=True)
    expect(banner).to_contain_text("Shortcut alarm since epoch 1.")
    expect(banner).to_contain_text(
        "100 ± 3 % of the predictions follow the class of the background, for 3 measurements in a row (alarm above "
        "10 %)"
    )
    expect(banner).to_contain_text("the model reads the background")
    marked = frame.locator(".runs .toggle", has=frame.locator(".alarm-mark"))
    expect(marked).to_have_count(3)
    assert marked.locator(".name").all_inner_texts() == ["background/lime", "corner/lime", "marker/lime"]
    expect(frame.locator(".alarm-ticks i")).to_have_count(2)
    set_slider(frame, "Epoch", 0)
    expect(banner).to_contain_text("No alarm at this epoch, but a shortcut alarm at epoch 1 on.")
    frame.get_by_role("button", name="Go to epoch 1").click()
    expect(banner).to_contain_text("the model reads the background")
    frame.locator(".tile").first.click()
    expect(banner).to_be_visible()
    frame.get_by_role("button", name="See the evidence").click()
    expect(frame.get_by_role("tab", name="Shortcuts")).to_have_attribute("aria-selected", "true")
    verdict = frame.get_by_label("Verdict on background/lime")
    expect(verdict).to_contain_text("Shortcut alarm since epoch 1")
    expect(verdict.get_by_label("Tests that fired")).to_contain_text("Background swap, all probes: 1.00")
    expect(verdict.get_by_label("Tests", exact=True).locator("li.alarm")).to_contain_text(
        "objects on other backgrounds"
    )
    expect(verdict).to_contain_text("This epoch took about 1,664 forward passes.")


def test_markers_are_drawn_where_they_are(tab: Tab, readers: Readers) -> None:
    """The tag is at rows and columns 27 to 30."""
    frame = opened(tab, readers, "marker")
    shown = frame.get_by_label("Markers of marker/lime").locator("li")
    expect(shown.first).to_be_visible()
    box = shown.first.locator("rect:not(.halo)")
    left, top, width, height = (int(box.get_attribute(name) or 0) for name in ("x", "y", "width", "height"))
    assert left <= 27
    assert top <= 27
    assert left + width >= 31
    assert top + height >= 31
    block = shown.first.get_by_label(f"The block: rows {top} to {top + height}, columns {left} to {left + width}")
    assert block.get_attribute("viewBox") == f"{left} {top} {width} {height}"
    expect(block.locator("image")).to_have_attribute("href", re.compile("probe=[0-9a-f]{16}"))


def test_a_run_without_an_alarm_shows_none(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "object", "overview")
    expect(frame.locator(".tile canvas").first).to_be_visible()
    expect(frame.locator(".alarm-banner")).to_have_count(0)
    expect(frame.locator(".alarm-ticks")).to_have_count(0)


def test_curves_have_threshold_band_and_the_level_of_guesses(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "background")
    overall = frame.get_by_role("region", name="All probes")
    expect(overall.get_by_role("img")).to_have_attribute("aria-label", re.compile("^Reliance of All probes"))
    expect(frame.locator(".lead p")).to_contain_text("Backgrounds of the same class are the control")
    expect(overall.locator("[data-line='background/lime'] .band")).to_have_attribute("d", re.compile("Z$"))
    expect(overall.locator("line.level")).to_have_count(1)
    expect(overall.locator("[data-line='background/lime'] .warning")).to_have_count(2)
    for words in ("alarm above 10 %", "band: ± one standard error", "▲ alarm"):
        expect(overall.locator(".chart-legend")).to_contain_text(words)
    expect(frame.get_by_role("region", name="stop", exact=True)).to_have_count(0)
    # What changes raises no alarm by itself: its curve has neither the line nor the marks.
    frame.get_by_label("Measure", exact=True).get_by_role("button", name="Swap flip").click()
    expect(overall.locator(".chart-legend")).to_contain_text("by guessing")
    expect(overall.locator("line.level, .warning")).to_have_count(0)
    for name in ("stop", "yield", "limit", "entry"):
        expect(frame.get_by_role("region", name=name, exact=True).locator("svg")).to_be_visible()
    for measure, explained in (("Object share", "lies on the object"), ("Background only", "the object is taken out")):
        frame.get_by_label("Measure", exact=True).get_by_role("button", name=measure).click()
        expect(frame.locator(".lead p")).to_contain_text(explained)
        expect(overall.locator("line.level")).to_have_count(0)
    overall.get_by_role("img").click(position={"x": 46, "y": 60})
    expect(frame.locator(".steps output b")).to_have_text("0")


def test_a_line_stands_between_two_fits_of_one_callback(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "twice")
    expect(frame.locator(".fit-ticks i")).to_have_attribute("style", re.compile("left: 50%"))
    chart = frame.get_by_role("region", name="All probes")
    expect(chart.locator("line.fit")).to_have_count(1)
    expect(chart.locator(".chart-legend")).to_contain_text("dotted: a further fit begins")
    set_slider(frame, "Epoch", 2)
    expect(frame.get_by_label("Epoch", exact=True)).to_have_attribute("aria-valuetext", "epoch 2, a further fit begins")
    frame = opened(tab, readers, "object")
    expect(frame.locator(".fit-ticks, line.fit")).to_have_count(0)


def test_the_advice_names_the_cure(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "background", "overview")
    frame.get_by_text("What was found, and what you can do").click()
    advice = frame.get_by_label("What you can do")
    for words in (
        "cured, receipt = cure(",
        "keras-lime cure",
        "SwapBackgrounds(pool)",
        "examples/guides/after_an_alarm.md",
    ):
        expect(advice).to_contain_text(words)
    expect(advice).to_contain_text("Add scenes.")
    expect(advice).not_to_contain_text("Crop or cover the mark.")


def test_the_swapped_pictures_load_with_the_prediction_before_and_after(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "background")
    swaps = frame.get_by_label("Swapped pictures of background/lime")
    expect(swaps.locator("li")).to_have_count(4)
    for picture in swaps.locator("img").all():
        expect(picture).to_be_visible()
        expect(picture).to_have_js_property("naturalWidth", 32)
    for place, name in enumerate(swaps.locator("li > .muted").all_inner_texts()):
        captions = swaps.locator("li").nth(place).locator("figcaption")
        expect(captions.nth(0)).to_have_text(f"as it is: {name.removeprefix('true class ')} 91 %")
        expect(captions.nth(1)).to_have_text(re.compile(r"swapped: (stop|yield|limit|entry) 91 %"))
        assert captions.nth(0).locator("b").inner_text() != captions.nth(1).locator("b").inner_text()
    swaps.get_by_role("button").first.click()
    expect(frame.locator(".detail")).to_be_visible()


def test_where_no_prediction_changes_it_says_so(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "object")
    expect(frame.get_by_label("Swapped pictures of object/lime")).to_contain_text("No prediction changed")
    verdict = frame.get_by_label("Verdict on object/lime")
    expect(verdict).to_contain_text("too early, epoch 2")
    expect(verdict).to_contain_text("training accuracy is 40 %, and measurements count from 50 % on")


def test_a_watermark_is_found_without_masks_and_the_frame_is_a_hint(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "corner")
    verdict = frame.get_by_label("Verdict on corner/lime")
    expect(verdict).to_contain_text("Hiding the bottom right corner takes")
    expect(verdict).to_contain_text("The probes have no object masks or boxes")
    places = frame.get_by_label("Corners and borders of corner/lime")
    expect(places.locator("li")).to_have_count(8)
    expect(places.locator("li.over span").first).to_have_text("bottom right corner")
    expect(places).to_contain_text("A hint only, no alarm")
    expect(frame.get_by_label("Swapped pictures of corner/lime")).to_have_count(0)
    expect(
        frame.get_by_text("Groups of alike heatmaps need 20 probes of a class; here a class has 8 at most.")
    ).to_be_visible()


def test_masks_that_tell_nothing_show_the_reason(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "blank masks")
    verdict = frame.get_by_label("Verdict on blank masks/lime")
    expect(verdict.locator(".state")).to_have_text("not tested, epoch 2")
    expect(verdict).to_have_class(re.compile("untested"))
    expect(verdict.get_by_label("Tests", exact=True).locator("li.not-tested").first).to_contain_text(
        "Give masks that are True on the object and False around it."
    )
    expect(verdict).not_to_contain_text("no alarm")
    expect(verdict).to_contain_text("No object mask separates an object from a background: they cover nothing, or all")
    expect(frame.get_by_label("Measure", exact=True).get_by_role("button", name="Swap flip")).to_have_count(0)


def test_estimated_outlines_are_drawn_as_such_and_become_boxes(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "estimated", "overview")
    frame.get_by_role("tab", name="Objects").click()
    first = frame.locator(".object-tile").first
    expect(first).to_contain_text("outline estimated")
    expect(first.locator(".mask-rim path").nth(1)).to_have_attribute("d", re.compile(r"^M\d"))
    first.get_by_role("button", name="Add a box").click()
    drawn = first.locator(".box-editor").get_by_role("button")
    found = re.search(r"top (\d+), left (\d+), bottom (\d+), right (\d+)$", drawn.get_attribute("aria-label") or "")
    assert found is not None
    mask = squares(32, seed=5)[2][
        next(i for i, each in enumerate(probes().ids) if each == first.get_attribute("data-probe"))
    ]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    real = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
    assert np.abs(np.array([int(each) for each in found.groups()]) - real).max() <= 3


def test_an_older_log_shows_nothing_broken(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "old")
    verdict = frame.get_by_label("Verdict on old/lime")
    expect(verdict).to_contain_text("not tested")
    expect(verdict).to_contain_text("This log holds no shortcut tests")
    expect(frame.get_by_role("region", name="All probes").locator("svg")).to_be_visible()
    expect(frame.locator("line.level, .band, .swaps, .places, .groups")).to_have_count(0)
    frame.get_by_role("tab", name="Overview").click()
    expect(frame.locator(".tile canvas")).to_have_count(4)
    frame.locator(".tile").first.click()
    expect(frame.locator(".bar").first).to_be_visible()
    expect(frame.locator(".doubts, .alarm-banner")).to_have_count(0)


def test_alike_heatmaps_are_shown_in_groups_that_raise_no_alarm(tab: Tab, readers: Readers) -> None:
    frame = opened(tab, readers, "many")
    groups = frame.get_by_label("Groups of heatmaps of many/lime")
    expect(groups).to_contain_text("It raises no alarm.")
    expect(groups.locator(".group-tiles button")).to_have_count(44)
    expect(groups.locator("h4").first).to_have_text(re.compile(r"class 0, group 1: \d+ probes"))
    groups.locator(".group-tiles button").first.scroll_into_view_if_needed()
    expect(groups.locator(".group-tiles canvas").first).to_be_visible()


def test_what_cannot_be_judged_is_striped_as_in_python_and_has_no_weight(tab: Tab, readers: Readers) -> None:
    explanation = next(each for each in readers.explanations if each.blind.any() and not each.blind.all())
    view = f"&lime_probe={image_id(explanation.image)}&lime_target={explanation.targets[0]}&lime_basis=probability"
    frame = opened(tab, readers, "many", "overview", view)
    expected = explanation.overlay().ravel().tolist()
    canvas = ".explanation canvas"
    expect(frame.locator(canvas)).to_be_visible()
    wait_until(lambda: drawn(frame, canvas) == expected, seconds=10)
    assert expected != replace(explanation, diagnostic_bits=None).overlay(mark_faint=False).ravel().tolist()
    segment = int(np.flatnonzero(explanation.blind)[0])
    row, column = np.argwhere(explanation.segmentation.labels == segment)[5]
    box = frame.locator(canvas).bounding_box()
    assert box is not None
    frame.locator(canvas).hover(
        position={"x": (column + 0.5) * box["width"] / 32, "y": (row + 0.5) * box["height"] / 32}
    )
    card = frame.locator(".segment-card")
    expect(card).to_contain_text(f"Superpixel {segment}")
    expect(card.locator(".weight")).to_have_text("–")
    expect(card).to_contain_text("Cannot be judged: hidden, this superpixel looks as it does shown.")
    expect(frame.get_by_label("How far to trust")).to_contain_text("Some superpixels look the same hidden as shown")
    expect(frame.locator(".legend-marks")).to_contain_text("striped: cannot be judged")


def test_alarms_and_pictures_fit_a_narrow_dark_window(browser: Browser, readers: Readers) -> None:
    with Tab(browser, width=700, height=900) as tab:
        frame = tab.open(readers.address, "lime_page=shortcut", query="darkMode=true")
        expect(frame.get_by_label("Verdict on background/lime")).to_be_visible()
        expect(frame.get_by_label("Swapped pictures of background/lime").locator("img").first).to_be_visible()
        assert frame.evaluate(
            "document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth"
        )
        assert tab.problems == []
