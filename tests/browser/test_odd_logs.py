"""Names of every kind, and logs that are damaged in part: the rest still shows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.records import SUMMARY_TAG, encode, result_tag
from tests.browser.tab import Tab
from tests.support.damaged_logs import NASTY
from tests.support.serving import tensorboard
from tests.support.synthetic_logs import Settings, result_arrays, write_run

SETTINGS = Settings(n_probes=4, epochs=3, n_segments=12, size=32)
LOADERS = pytest.mark.parametrize("loader", ["true", "false"], ids=["fast loader", "slow loader"])


def test_names_are_text_wherever_they_stand(tab: Tab, tmp_path: Path) -> None:
    count = len(NASTY)
    settings = replace(SETTINGS, n_probes=count, names=NASTY, class_names=NASTY)
    run = 'it\'s <b>bold</b> & "q" 🛑 100% #1/lime'
    write_run(tmp_path / run, settings)
    with tensorboard(tmp_path) as address:
        frame = tab.open(address)
        expect(frame.get_by_role("radio", name=run)).to_be_checked()
        expect(frame.locator(".tile canvas")).to_have_count(count)
        shown = frame.locator(".tile > .name").all_text_contents()
        assert shown == list(NASTY)
        for name in NASTY:
            frame.locator(".tile > .name").get_by_text(name, exact=True).click()
            expect(frame.locator(".detail h2")).to_have_text(name)
            expect(frame.locator(".bar").first).to_be_visible()
            frame.get_by_role("button", name="All probes").click()
        frame.get_by_role("tab", name="Compare").click()
        expect(frame.locator(".pair-card")).to_have_count(count)
        frame.get_by_role("tab", name="Shortcuts").click()
        expect(frame.get_by_role("region", name=NASTY[0], exact=True)).to_be_visible()
        assert frame.locator("script, b:text-is('bold')").count() == frame.locator("body > script").count()


@LOADERS
def test_a_truncated_event_file_shows_up_to_the_cut(tab: Tab, tmp_path: Path, loader: str) -> None:
    write_run(tmp_path / "cut" / "lime", SETTINGS)
    (file,) = (tmp_path / "cut" / "lime").iterdir()
    file.write_bytes(file.read_bytes()[:-200])
    with tensorboard(tmp_path, f"--load_fast={loader}") as address:
        frame = tab.open(address)
        expect(frame.locator(".tile canvas")).to_have_count(SETTINGS.n_probes)
        expect(frame.locator(".tile .prediction b")).to_have_count(SETTINGS.n_probes)


def test_records_of_a_newer_version_are_named_in_a_notice(tab: Tab, tmp_path: Path) -> None:
    probes = write_run(tmp_path / "mixed" / "lime", SETTINGS)
    with RunWriter(tmp_path / "mixed" / "lime") as writer:
        writer.record(result_tag(probes[0].id), 3, [b'{"v": 99, "kind": "result", "arrays": []}'])
    with tensorboard(tmp_path) as address:
        frame = tab.open(address)
        expect(frame.locator(".tile .prediction b")).to_have_count(SETTINGS.n_probes)
        frame.locator(".tile").first.click()
        expect(frame.locator(".notices")).to_contain_text("left out")
        expect(frame.locator(".bar").first).to_be_visible()


def test_a_probe_missing_in_a_later_session_is_gone_and_the_rest_shows(tab: Tab, tmp_path: Path) -> None:
    write_run(tmp_path / "two" / "lime", SETTINGS)
    write_run(tmp_path / "two" / "lime", replace(SETTINGS, n_probes=3, first_epoch=3))
    with tensorboard(tmp_path) as address:
        frame = tab.open(address)
        expect(frame.locator(".tile canvas")).to_have_count(3)
        expect(frame.locator(".steps output")).to_have_text("epoch 5, the newest")


def test_nan_weights_are_left_blank(tab: Tab, tmp_path: Path) -> None:
    probes = write_run(tmp_path / "nan" / "lime", SETTINGS)
    header, arrays = result_arrays(SETTINGS, probes[0], 3)
    header["predicted_value"] = None
    for name in arrays.keys() - {"targets"}:
        arrays[name] = np.full_like(arrays[name], np.nan)
    with RunWriter(tmp_path / "nan" / "lime") as writer:
        writer.record(result_tag(probes[0].id), 3, encode("result", header, arrays))
        writer.record(SUMMARY_TAG, 3, encode("summary", {}, {}))
    with tensorboard(tmp_path) as address:
        frame = tab.open(address, f"lime_probe={probes[0].id}")
        expect(frame.locator(".strongest")).to_contain_text("No superpixel has a weight that the controls let through")
        expect(frame.locator(".explanation canvas")).to_be_visible()
        frame.get_by_role("button", name="All probes").click()
        expect(frame.locator(".tile canvas")).to_have_count(SETTINGS.n_probes)
