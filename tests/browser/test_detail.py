"""One probe in detail, and the overlay's pixels against Python's."""

import re
from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Frame, expect

from keras_lime.core.diagnostics import SegmentDiagnostic
from keras_lime.core.image import image_id
from keras_lime.tensorboard.plugin.wire import unpack
from tests.browser.tab import Tab, drawn, set_slider
from tests.browser.training import CLASS_NAMES, EPOCHS, Training
from tests.support.serving import get, wait_until

CANVAS = ".explanation canvas"


def opened(tab: Tab, address: str, training: Training, index: int = 0, view: str = "") -> Frame:
    probe = image_id(training.explanations[index].image)
    frame = tab.open(address, f"lime_run=honest/lime&lime_basis=probability&lime_probe={probe}{view}")
    expect(frame.locator(CANVAS)).to_be_visible()
    expect(frame.locator(".strongest")).to_be_visible()
    return frame


def scale_of(address: str, probe: str) -> float:
    """Returns the largest weight of the probe at any epoch, the end of its colour scale."""
    _, _, body = get(address, "data/plugin/keras_lime/series", run="honest/lime", probe=probe)
    arrays, _ = unpack(body)
    weights = np.abs(arrays["coef"])
    if "flags" in arrays:
        weights = np.where(arrays["flags"] & SegmentDiagnostic.BLIND, np.nan, weights)
    return float(np.nanmax(weights))


OVERLAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("", {}),
    "borders": ("&lime_borders=1", {"boundaries": True}),
    "few, rest hidden": ("&lime_features=4&lime_hideRest=1", {"num_features": 4, "hide_rest": True}),
    "outline": ("&lime_style=outline&lime_sign=positive", {"style": "outline", "negative": False}),
    "blue": ("&lime_palette=blue-orange&lime_opacity=0.45", {"palette": "blue-orange", "opacity": 0.45}),
    "negative": ("&lime_sign=negative", {"positive": False}),
    "strong": ("&lime_minWeight=0.05", {"min_weight": 0.05}),
    "over the picture": ("&lime_ground=picture", {"ground": "picture"}),
    "over nothing": ("&lime_ground=none&lime_palette=blue-orange", {"ground": "none", "palette": "blue-orange"}),
    "probe's scale": ("&lime_scaleOf=probe", {"scale": "probe"}),
}


@pytest.mark.parametrize("index", [0, 4])
def test_the_pixels_are_those_of_python(tab: Tab, fast_address: str, training: Training, index: int) -> None:
    explanation = training.explanations[index]
    probe, target = image_id(explanation.image), explanation.targets[0]
    scale = scale_of(fast_address, probe)
    frame = opened(tab, fast_address, training, index)
    assert drawn(frame, "figure:first-child canvas") == explanation.picture.ravel().tolist()
    for view, options in OVERLAYS.values():
        view = f"keras_lime&lime_run=honest/lime&lime_probe={probe}&lime_target={target}&lime_basis=probability{view}"
        tab.page.evaluate("(view) => { location.hash = view; }", view)
        wanted = {**options, "scale": scale} if "scale" in options else options
        expected = explanation.overlay(target, **wanted).ravel().tolist()
        wait_until(partial(is_drawn, frame, expected), seconds=10)


def is_drawn(frame: Frame, expected: list[int]) -> bool:
    return drawn(frame, CANVAS) == expected


def test_a_tile_opens_its_probe_and_escape_closes_it(tab: Tab, address: str, training: Training) -> None:
    explanation = training.explanations[2]
    frame = tab.open(address, "lime_run=honest/lime")
    frame.locator(".tile", has_text=explanation.name).click()
    expect(frame.get_by_role("heading", name=explanation.name)).to_be_visible()
    assert explanation.predicted is not None
    expect(frame.locator(".verdict")).to_contain_text(f"predicted {CLASS_NAMES[explanation.predicted]}")
    frame.get_by_role("button", name="Next probe").click()
    expect(frame.get_by_role("heading", name=training.explanations[3].name)).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(frame.locator(".grid")).to_be_visible()


def test_pointing_at_a_superpixel_shows_its_weight_and_its_history(tab: Tab, address: str, training: Training) -> None:
    explanation = training.explanations[0]
    frame = opened(tab, address, training, view=f"&lime_target={explanation.targets[0]}")
    canvas = frame.locator(CANVAS)
    box = canvas.bounding_box()
    assert box is not None
    ((segment, _),) = explanation.top_segments(1)
    row, column = np.argwhere(explanation.segmentation.labels == segment)[0]
    canvas.hover(position={"x": (column + 0.5) * box["width"] / 32, "y": (row + 0.5) * box["height"] / 32})
    card = frame.locator(".segment-card")
    expect(card).to_contain_text(f"Superpixel {segment}")
    shown = float(card.locator(".weight").inner_text().split(" ±")[0].replace("−", "-"))
    assert shown == pytest.approx(explanation.weights(explanation.targets[0])[segment], abs=6e-4)
    expect(card.locator(".sparkline path")).to_have_attribute("d", re.compile(rf"(?:[ML][\d.]+ [\d.]+){{{EPOCHS}}}"))
    expect(frame.locator(".rim path").first).to_have_attribute("d", re.compile("^M"))
    expect(frame.locator(f"[data-line='superpixel {segment}'] .strong")).to_be_visible()
    frame.get_by_role("heading", name=explanation.name).hover()
    expect(frame.locator(".rim path").first).to_have_attribute("d", "")


def test_a_bar_shows_its_superpixel_to_mouse_and_keyboard(tab: Tab, fast_address: str, training: Training) -> None:
    explanation = training.explanations[0]
    target = explanation.targets[0]
    frame = opened(tab, fast_address, training, view=f"&lime_target={target}")
    bars = frame.locator(".bar")
    strongest = [segment for segment, _ in explanation.top_segments(3, target)]
    assert [int(bars.nth(place).get_attribute("data-segment") or -1) for place in range(3)] == strongest
    bars.nth(1).hover()
    expect(frame.locator(".segment-card")).to_contain_text(f"Superpixel {strongest[1]}")
    frame.get_by_role("heading", name=explanation.name).hover()
    bars.nth(0).focus()
    expect(frame.locator(".segment-card")).to_contain_text(f"Superpixel {strongest[0]}")
    frame.page.keyboard.press("Tab")
    expect(frame.locator(".segment-card")).to_contain_text(f"Superpixel {strongest[1]}")


def test_a_click_in_the_history_goes_to_that_epoch(tab: Tab, fast_address: str, training: Training) -> None:
    frame = opened(tab, fast_address, training)
    chart = frame.get_by_role("img", name="Weights of the strongest superpixels over the epochs")
    chart.click(position={"x": 50, "y": 60})
    expect(frame.locator(".steps output b")).to_have_text("0")


def test_explained_classes_stand_beside_each_other(tab: Tab, fast_address: str, training: Training) -> None:
    index = next((i for i, each in enumerate(training.explanations) if len(each.targets) > 1), 0)
    explanation = training.explanations[index]
    frame = opened(tab, fast_address, training, index)
    classes = frame.locator(".classes .tile")
    expect(classes).to_have_count(len(explanation.targets))
    for place, target in enumerate(explanation.targets):
        classes.nth(place).click()
        expect(classes.nth(place)).to_have_attribute("aria-pressed", "true")
        expect(frame.locator(".explanation figcaption")).to_contain_text(f"For {CLASS_NAMES[target]}")


def test_the_weights_can_be_saved(tab: Tab, fast_address: str, training: Training) -> None:
    explanation = training.explanations[0]
    target = explanation.targets[0]
    frame = opened(tab, fast_address, training, view=f"&lime_target={target}")
    with tab.page.expect_download() as download:
        frame.get_by_role("button", name="CSV").click()
    rows = [line.split(",") for line in download.value.path().read_text("utf-8-sig").splitlines()[1:]]
    newest = [float(row[6] or "nan") for row in rows if row[3] == str(EPOCHS - 1)]
    # Superpixels that cannot be judged have no weight.
    known = np.where(explanation.blind, np.nan, explanation.weights(target))
    assert newest == pytest.approx(known.tolist(), nan_ok=True)


def test_a_divider_shows_the_original_left_of_it(tab: Tab, fast_address: str, training: Training) -> None:
    frame = opened(tab, fast_address, training)
    frame.get_by_role("button", name="Divide").click()
    slider = frame.get_by_label("Divider", exact=True)
    assert drawn(frame, ".divided canvas") == training.explanations[0].picture.ravel().tolist()
    slider.focus()
    tab.page.keyboard.press("ArrowRight")
    expect(frame.locator(".divided")).to_have_attribute("style", re.compile(r"inset\(0(px)? 49% 0(px)? 0(px)?\)"))
    set_slider(frame, "Divider", 20)
    expect(frame.locator("i.divider")).to_have_attribute("style", "left: 20%;")
    frame.get_by_role("heading", name=training.explanations[0].name).click()
    tab.page.keyboard.press("d")
    expect(slider).to_have_count(0)
    tab.page.keyboard.press("b")
    expect(frame.get_by_role("button", name="Stop blinking")).to_be_visible()
    original = training.explanations[0].picture.ravel().tolist()
    wait_until(lambda: drawn(frame, CANVAS) == original, seconds=5)
    wait_until(lambda: drawn(frame, CANVAS) != original, seconds=5)


def test_the_nearest_training_images_have_their_labels(tab: Tab, fast_address: str, training: Training) -> None:
    frame = opened(tab, fast_address, training)
    nearest = frame.get_by_label("Nearest training images")
    expect(nearest.locator("li")).to_have_count(5)
    for image in nearest.locator("li").all():
        expect(image.locator("img")).to_have_js_property("naturalWidth", 32)
        assert image.locator("span").first.inner_text() in CLASS_NAMES
    shown = [float(text) for text in nearest.locator("li .muted").all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    assert 0.5 < shown[-1] <= shown[0] <= 1


def test_what_limits_the_explanation_is_said_in_the_words_of_python(
    tab: Tab, fast_address: str, training: Training
) -> None:
    for index, explanation in enumerate(training.explanations[:3]):
        target = explanation.targets[0]
        frame = opened(tab, fast_address, training, index, f"&lime_target={target}")
        doubts = frame.get_by_label("How far to trust this explanation")
        # Only Python still knows how many effective samples there were.
        alone = replace(
            explanation, neighborhood=None, targets=(target,), target_names=("",), fit=first(explanation.fit)
        )
        alone = replace(
            alone,
            diagnostic_bits=first(explanation.diagnostic_bits),
            second=first(explanation.second),
            prediction=explanation.prediction[:1],
        )
        assert doubts.locator(".caveat").all_inner_texts() == [str(diagnostic) for diagnostic in alone.diagnostics]
        assert alone.agreement is not None
        shown = f"{alone.agreement[0]:.2f}".replace("-", "−")
        expect(doubts).to_contain_text(f"Second baseline: rank agreement {shown}")
        expect(doubts).to_contain_text(re.compile(r"Integrated gradients: rank agreement −?[\d.]+; they "))
        expect(doubts).to_contain_text("A cross-check, not a substitute")


def first(parts: Any) -> Any:
    """The first target's part of a fit or of limits."""
    rows = {each.name: getattr(parts, each.name) for each in fields(parts)}
    return replace(parts, **{name: value[:1] for name, value in rows.items() if isinstance(value, np.ndarray)})
