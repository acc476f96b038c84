"""Boxes drawn on the page reach `ProbeSet.with_boxes`; the class sheet shows what each class is read off."""

import json
import re
from pathlib import Path

import numpy as np
from playwright.sync_api import expect

from keras_lime import ProbeSet
from keras_lime.core.image import image_id
from tests.browser.tab import Tab
from tests.browser.training import CLASS_NAMES, PROBES, SIZE, Training, draw


def test_boxes_are_drawn_moved_undone_and_read_by_python(
    tab: Tab, fast_address: str, training: Training, tmp_path: Path
) -> None:
    images, labels, masks = draw(PROBES, biased=False, seed=99)
    probes = ProbeSet(images, labels, masks=masks, class_names=CLASS_NAMES)
    frame = tab.open(fast_address, "lime_run=honest/lime&lime_page=objects")
    first = frame.locator(f"[data-probe='{image_id(images[0])}']")
    expect(first.locator(".mask-rim path").nth(1)).to_have_attribute("d", re.compile(r"^M\d"))
    editor = first.locator(".box-editor")
    box = editor.bounding_box()
    assert box is not None
    scale = box["width"] / SIZE
    tab.page.mouse.move(box["x"] + 4 * scale, box["y"] + 6 * scale)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 20 * scale, box["y"] + 25 * scale, steps=4)
    tab.page.mouse.up()
    drawn = editor.get_by_role("button")
    expect(drawn).to_have_attribute("aria-label", names(6, 4, 25, 20))
    drawn.focus()
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Shift+ArrowRight")
    expect(drawn).to_have_attribute("aria-label", names(7, 4, 26, 21))
    frame.get_by_role("button", name="Undo").click()
    expect(drawn).to_have_attribute("aria-label", names(7, 4, 26, 20))
    with tab.page.expect_download() as download:
        frame.get_by_role("button", name="Save boxes (1)").click()
    assert download.value.suggested_filename == "boxes.json"
    saved = tmp_path / "boxes.json"
    download.value.save_as(saved)
    assert json.loads(saved.read_text()) == {"version": 1, "boxes": {image_id(images[0]): [[7, 4, 26, 20]]}}
    expect(frame.locator(".objects code")).to_contain_text('probes.with_boxes("boxes.json")')
    read = probes.with_boxes(saved)
    assert read.masks is not None
    expected = np.zeros((SIZE, SIZE), bool)
    expected[7:26, 4:20] = True
    np.testing.assert_array_equal(read.masks[0], expected)
    np.testing.assert_array_equal(read.masks[1], masks[1])


def names(top: int, left: int, bottom: int, right: int) -> re.Pattern[str]:
    return re.compile(f": top {top}, left {left}, bottom {bottom}, right {right}$")


def test_the_class_sheet_shows_the_strongest_parts_first(tab: Tab, fast_address: str) -> None:
    frame = tab.open(fast_address, "lime_run=honest/lime&lime_page=classes&lime_basis=probability")
    for name in CLASS_NAMES:
        expect(frame.get_by_role("region", name=name, exact=True)).to_be_visible()
    row = frame.get_by_role("region", name=CLASS_NAMES[0], exact=True)
    expect(row.locator("canvas").first).to_be_visible()
    weights = [float(text.replace("−", "-")) for text in row.locator(".parts span").all_inner_texts()]
    assert weights
    assert weights == sorted(weights, reverse=True)
    row.get_by_role("button").first.click()
    expect(frame.locator(".detail")).to_be_visible()
