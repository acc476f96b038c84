"""Two runs, or two epochs of one run, beside each other; and the shortcut chart."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Frame, expect

from keras_lime.core.diagnostics import SegmentDiagnostic
from keras_lime.tensorboard.plugin.wire import unpack
from tests.browser.tab import Tab, drawn, set_slider
from tests.browser.training import CLASS_NAMES, EPOCHS, PROBES
from tests.support.serving import get


def opened(tab: Tab, address: str, view: str = "") -> Frame:
    frame = tab.open(address, f"lime_page=compare{view}")
    expect(frame.locator(".pair-card")).to_have_count(PROBES)
    expect(frame.locator(".pair-card >> nth=0 >> canvas")).to_have_count(3)
    return frame


def test_two_runs_stand_beside_each_other_on_the_same_probes(tab: Tab, address: str) -> None:
    frame = opened(tab, address, "&lime_run=honest/lime&lime_target=label&lime_basis=probability")
    expect(frame.get_by_label("Left", exact=True)).to_have_value("honest/lime")
    expect(frame.get_by_label("Right", exact=True)).to_have_value("biased/lime")
    first = ".pair-card:nth-child(1) .half"
    pictures = [drawn(frame, f"{first}:nth-child({place}) canvas") for place in (1, 2, 3)]
    assert pictures[0] != pictures[1]
    expect(frame.locator(first).nth(2)).to_contain_text("right minus left")
    with tab.page.expect_download() as download:
        frame.get_by_role("button", name="CSV").click()
    rows = [line.split(",") for line in download.value.path().read_text("utf-8-sig").splitlines()[1:]]
    probe = rows[0][1]
    left, right = (newest(address, run, probe, CLASS_NAMES.index(rows[0][2])) for run in ("honest/lime", "biased/lime"))
    saved = np.array([[float(cell or "nan") for cell in row[4:7]] for row in rows if row[1] == probe])
    np.testing.assert_allclose(saved, np.stack([left, right, right - left], axis=1), rtol=1e-6, atol=1e-9)


def newest(address: str, run: str, probe: str, target: int) -> NDArray[Any]:
    """Returns the newest weights for one class, NaN where a superpixel cannot be judged."""
    arrays, _ = unpack(get(address, "data/plugin/keras_lime/series", run=run, probe=probe)[2])
    slot = arrays["targets"][-1].tolist().index(target)
    weights: NDArray[Any] = arrays["coef"][-1, slot].astype(np.float64)
    if "flags" in arrays:
        weights[(arrays["flags"][-1, slot] & SegmentDiagnostic.BLIND) > 0] = np.nan
    return weights


def test_two_epochs_of_one_run_stand_beside_each_other(tab: Tab, fast_address: str) -> None:
    frame = opened(tab, fast_address, "&lime_run=honest/lime&lime_otherRun=honest/lime&lime_target=label")
    expect(frame.locator(".side").nth(1)).to_contain_text("epoch 0")
    set_slider(frame, "Epoch of the right side", EPOCHS - 1)
    expect(frame.locator(".side").nth(1)).to_contain_text(f"epoch {EPOCHS - 1}")
    halves = [f".pair-card:nth-child(1) .half:nth-child({place}) canvas" for place in (1, 2)]
    assert drawn(frame, halves[0]) == drawn(frame, halves[1])
    set_slider(frame, "Epoch", 0)
    expect(frame.locator(halves[0])).to_have_attribute("aria-label", re.compile("at epoch 0$"))
    assert drawn(frame, halves[0]) != drawn(frame, halves[1])


def test_the_shortcut_chart_shows_every_run_and_the_chance_level(tab: Tab, address: str) -> None:
    frame = tab.open(address, "lime_page=shortcut")
    overall = frame.get_by_role("region", name="All probes")
    for line in ("honest/lime", "biased/lime", "by chance"):
        path = overall.locator(f"[data-line='{line}'] path.line")
        expect(path).to_have_attribute("d", re.compile(rf"^M[\d.]+ [\d.]+(?:L[\d.]+ [\d.]+){{{EPOCHS - 1}}}$"))
    for name in CLASS_NAMES:
        expect(frame.get_by_role("region", name=name, exact=True).locator("svg")).to_be_visible()
    arrays, _ = unpack(get(address, "data/plugin/keras_lime/summary", run="honest/lime")[2])
    share = float(arrays["object_share"][-1])
    expect(overall.locator("li", has_text="honest/lime")).to_contain_text(f"{round(100 * share)} %")
    frame.get_by_role("checkbox", name="biased/lime").uncheck()
    expect(overall.locator("[data-line='biased/lime']")).to_have_count(0)
    frame.get_by_label("Measure", exact=True).get_by_role("button", name="Predicted right").click()
    expect(overall.get_by_role("img")).to_have_attribute("aria-label", re.compile("^Predicted right of All probes"))


def test_the_chart_can_be_saved(tab: Tab, fast_address: str) -> None:
    frame = tab.open(fast_address, "lime_page=shortcut")
    expect(frame.locator(".curves svg[role=img]")).to_have_count(1 + len(CLASS_NAMES))
    with tab.page.expect_download() as csv:
        frame.get_by_role("button", name="CSV").click()
    lines = csv.value.path().read_text("utf-8-sig").splitlines()
    assert lines[0] == "run,class,epoch,object_share,standard_error,by_chance"
    assert len(lines) == 1 + 2 * EPOCHS * (1 + len(CLASS_NAMES))
    with tab.page.expect_download() as png:
        frame.get_by_role("button", name="PNG").click()
    assert png.value.path().read_bytes().startswith(b"\x89PNG")
