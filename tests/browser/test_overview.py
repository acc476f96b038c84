"""The overview on a real training, under each of TensorBoard's loaders."""

import re

import numpy as np
import pytest
from playwright.sync_api import Frame, expect

from tests.browser.tab import Tab, drawn, epoch, set_slider
from tests.browser.training import CLASS_NAMES, EPOCHS, PROBES, Training

FIRST = ".tile:nth-child(1) canvas"


def opened(tab: Tab, address: str, view: str = "lime_run=honest/lime") -> Frame:
    frame = tab.open(address, view)
    expect(frame.locator(".tile .prediction b")).to_have_count(PROBES)
    expect(frame.locator(".tile canvas")).to_have_count(PROBES)
    return frame


def named(epoch: int) -> re.Pattern[str]:
    return re.compile(rf"at epoch {epoch}$")


def test_every_probe_is_shown_with_its_prediction_and_numbers(tab: Tab, address: str, training: Training) -> None:
    frame = opened(tab, address)
    expect(frame.get_by_role("radio", name="honest/lime")).to_be_checked()
    for explanation in training.explanations:
        assert explanation.predicted is not None
        tile = frame.locator(".tile", has_text=explanation.name)
        expect(tile).to_contain_text(CLASS_NAMES[explanation.predicted])
        wrong = explanation.predicted != explanation.label
        expect(tile.locator(".prediction b")).to_have_text("✗" if wrong else "✓")
        expect(tile).to_contain_text(re.compile(r"\d %.*R² [−\d.]+"))
    expect(frame.locator(".facts")).to_contain_text(re.compile(r"Object share\s*\d+ %\s*by chance\s*\d+ %"))
    assert epoch(frame) == EPOCHS - 1


def test_the_slider_and_the_arrow_keys_move_the_whole_grid(tab: Tab, address: str) -> None:
    frame = opened(tab, address)
    newest = drawn(frame, FIRST)
    set_slider(frame, "Epoch", 0)
    expect(frame.locator(FIRST)).to_have_attribute("aria-label", named(0))
    assert drawn(frame, FIRST) != newest
    frame.locator(".facts").click()
    for key, expected in (("ArrowRight", 1), ("ArrowRight", 2), ("Home", 0), ("End", EPOCHS - 1), ("ArrowLeft", 2)):
        tab.page.keyboard.press(key)
        expect(frame.locator(FIRST)).to_have_attribute("aria-label", named(expected))
        assert epoch(frame) == expected
    tab.page.keyboard.press("End")
    expect(frame.locator(FIRST)).to_have_attribute("aria-label", named(EPOCHS - 1))
    assert drawn(frame, FIRST) == newest


def test_play_runs_from_the_first_epoch_to_the_last(tab: Tab, fast_address: str) -> None:
    frame = opened(tab, fast_address)
    # The page notes what it shows: from here an epoch could be over before it is asked for.
    frame.locator(FIRST).evaluate(
        """canvas => {
            window.shown = [];
            const shown = () => canvas.getAttribute("aria-label").match(/at epoch (\\d+)$/)[1];
            const note = () => window.shown.push(Number(shown()));
            new MutationObserver(note).observe(canvas, { attributeFilter: ["aria-label"] });
        }"""
    )
    frame.get_by_role("button", name="Play").click()
    expect(frame.locator(FIRST)).to_have_attribute("aria-label", named(EPOCHS - 1))
    expect(frame.get_by_role("button", name="Play")).to_be_visible()
    shown = frame.evaluate("window.shown")
    assert shown[0] == 0
    assert shown[-1] == EPOCHS - 1
    assert shown == sorted(shown)


def test_positive_and_negative_weights_are_shown_apart(tab: Tab, address: str, training: Training) -> None:
    frame = opened(tab, address)
    tile = f".tile:nth-child({1 + _most_divided(training)}) canvas"
    pictures = {}
    for sign in ("Both", "Positive", "Negative"):
        frame.get_by_role("button", name=sign, exact=True).click()
        expect(frame.get_by_role("button", name=sign, exact=True)).to_have_attribute("aria-pressed", "true")
        pictures[sign] = drawn(frame, tile)
    assert len({tuple(picture) for picture in pictures.values()}) == 3


def _most_divided(training: Training) -> int:
    """Position of the probe whose predicted class has strong weights of either sign."""
    weights = [each.weights(each.predicted) for each in training.explanations]
    return int(np.argmax([min(each.max(), -each.min()) / np.abs(each).max() for each in weights]))


@pytest.mark.parametrize(
    ("label", "value"), [("Superpixels", 3), ("Min. weight", 0.3), ("Opacity", 0.1)], ids=lambda case: str(case)
)
def test_sliders_change_the_drawing_at_once(tab: Tab, fast_address: str, label: str, value: float) -> None:
    frame = opened(tab, fast_address)
    before = drawn(frame, FIRST)
    set_slider(frame, label, value)
    assert drawn(frame, FIRST) != before


def test_probes_are_sorted_and_filtered(tab: Tab, fast_address: str, training: Training) -> None:
    frame = opened(tab, fast_address)
    frame.get_by_label("Sort").select_option("Lowest object share")
    shares = [float(text.split(" %")[0]) for text in frame.locator(".share").all_inner_texts()]
    assert shares == sorted(shares)
    frame.get_by_label("Class", exact=True).select_option("square")
    expect(frame.locator(".tile")).to_have_count(PROBES // 3)
    frame.get_by_label("Class", exact=True).select_option("All classes")
    frame.get_by_label("Wrong predictions only").check()
    wrong = [each for each in training.explanations if each.predicted != each.label]
    expect(frame.locator(".tile")).to_have_count(len(wrong))
    frame.get_by_label("Wrong predictions only").uncheck()
    set_slider(frame, "Object share", 0.5)
    expect(frame.locator(".tile")).to_have_count(sum(share <= 50 for share in shares))


def test_numbers_and_pictures_can_be_saved(tab: Tab, fast_address: str) -> None:
    frame = opened(tab, fast_address)
    with tab.page.expect_download() as csv:
        frame.get_by_role("button", name="CSV").click()
    lines = csv.value.path().read_text("utf-8-sig").splitlines()
    assert csv.value.suggested_filename == f"lime_honest-lime_overview_epoch_{EPOCHS - 1}.csv"
    assert lines[0].startswith("run,epoch,probe,id,true_class,predicted_class")
    assert len(lines) == 1 + PROBES
    with tab.page.expect_download() as png:
        frame.get_by_role("button", name="PNG").click()
    assert png.value.path().read_bytes().startswith(b"\x89PNG")
