"""Labels, classes, diagnostics and notices follow what was logged, on the page itself."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Frame, expect

from keras_lime.core.diagnostics import TARGET_TEXTS, TargetDiagnostic
from keras_lime.tensorboard import schema
from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG, build, decode, encode, probe_tag, result_tag
from keras_lime.tensorboard.schema import SCHEMA, Field
from tests.browser.tab import Tab
from tests.support.serving import client_of, provider_of, serve_here, tensorboard
from tests.support.synthetic_logs import (
    Settings,
    make_probes,
    manifest_parts,
    probe_parts,
    result_arrays,
    summary_of,
    write_run,
)

SETTINGS = Settings(n_probes=3, epochs=2, n_segments=12, size=32)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard with a run of each kind."""
    log_dir = tmp_path_factory.mktemp("kinds")
    nameless = replace(SETTINGS, class_names=None, n_classes=9)
    write_run(log_dir / "regression" / "lime", replace(nameless, regression=True))
    write_run(log_dir / "nameless" / "lime", nameless)
    changed(
        log_dir / "unsure" / "lime",
        lambda values: {**values, "caveats": [TargetDiagnostic.UNSURE] * SETTINGS.n_targets},
    )
    newer(log_dir / "newer" / "lime")
    with tensorboard(log_dir) as served:
        yield served


def changed(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    """Writes one epoch of one probe with changed results, and returns the probe's id."""
    probe = make_probes(SETTINGS)[0]
    header, arrays = result_arrays(SETTINGS, probe, 0)
    with RunWriter(folder) as writer:
        writer.session_start(0)
        writer.record(MANIFEST_TAG, 0, manifest_parts(SETTINGS, [probe]))
        writer.record(probe_tag(probe.id), 0, probe_parts(SETTINGS, probe))
        writer.record(result_tag(probe.id), 0, build("result", change({**header, **arrays})))
        writer.record(SUMMARY_TAG, 0, build("summary", summary_of(SETTINGS, [probe], 0)))
    return probe.id


def newer(folder: Path) -> None:
    """Writes an epoch of a later version: it says so, and logs what this one does not know."""
    probe = make_probes(SETTINGS)[0]
    header, arrays = result_arrays(SETTINGS, probe, 0)
    manifest = decode(manifest_parts(SETTINGS, [probe]))
    with RunWriter(folder) as writer:
        writer.session_start(0)
        writer.record(MANIFEST_TAG, 0, encode("manifest", {**manifest.header, "keras_lime": "99.1"}, {}))
        writer.record(probe_tag(probe.id), 0, probe_parts(SETTINGS, probe))
        writer.record(result_tag(probe.id), 0, encode("result", header, {**arrays, "aura": np.ones(2, np.float32)}))
        writer.record(SUMMARY_TAG, 0, build("summary", summary_of(SETTINGS, [probe], 0)))


def opened(tab: Tab, address: str, run: str) -> Frame:
    frame = tab.open(address, f"lime_run={run}/lime")
    expect(frame.locator(".tile canvas").first).to_be_visible()
    return frame


def test_a_regression_has_outputs_not_classes(tab: Tab, address: str) -> None:
    frame = opened(tab, address, "regression")
    options = frame.get_by_label("Explain", exact=True).locator("option").all_inner_texts()
    assert options[-9:] == [f"output {index}" for index in range(9)]
    frame.locator(".tile").first.click()
    expect(frame.locator(".explanation figcaption")).to_contain_text("For output 0")
    expect(frame.locator(".detail")).not_to_contain_text("class 0")


def test_without_class_names_every_class_can_be_explained(tab: Tab, address: str) -> None:
    frame = opened(tab, address, "nameless")
    options = frame.get_by_label("Explain", exact=True).locator("option").all_inner_texts()
    assert options == ["Predicted class", "True class", *(f"class {index}" for index in range(9))]


def test_an_unsure_explanation_is_marked(tab: Tab, address: str) -> None:
    frame = opened(tab, address, "unsure")
    expect(frame.locator(".tile .doubt")).to_have_attribute("title", " ".join(TARGET_TEXTS[TargetDiagnostic.UNSURE]))
    frame.locator(".tile").click()
    expect(frame.locator(".caveat")).to_contain_text("`max_samples` was reached")


def test_a_newer_log_gives_notices_and_shows_what_is_known(tab: Tab, address: str) -> None:
    frame = opened(tab, address, "newer")
    expect(frame.locator(".notices")).to_contain_text("keras_lime 99.1 wrote this log")
    frame.locator(".tile").click()
    expect(frame.locator(".bar").first).to_be_visible()
    frame.locator(".notices summary").click()
    expect(frame.locator(".notices")).to_contain_text("does not know and does not show: aura")


def test_a_new_field_reaches_the_page(own_tab: Tab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Field("result", "edge_density", "float32", ("targets",), "0.2", "How many edges it has.", optional=True)
    monkeypatch.setattr(schema, "SCHEMA", SCHEMA.with_field(row))
    probe = changed(tmp_path / "lime", lambda values: {**values, "edge_density": [0.375] * SETTINGS.n_targets})
    with provider_of("slow", tmp_path, {"lime": 0}) as provider, serve_here(client_of(provider)) as address:
        own_tab.page.goto(f"{address}/data/plugin_entry.html?name=keras_lime#lime_probe={probe}")
        expect(own_tab.page.locator(".doubts")).to_contain_text("edge density: 0.375")
        expect(own_tab.page.locator(".notices")).to_have_count(0)
    own_tab.problems = [problem for problem in own_tab.problems if "/favicon.ico" not in problem]
