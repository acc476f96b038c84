"""Names of every kind, and logs that are damaged in part: the rest still shows."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Frame, expect

from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.records import SUMMARY_TAG, encode, result_tag
from tests.browser.tab import Tab
from tests.support.damaged_logs import NASTY
from tests.support.serving import get_json, tensorboard, wait_until
from tests.support.synthetic_logs import Settings, SyntheticProbe, make_probes, result_arrays, write_run

SETTINGS = Settings(n_probes=4, epochs=3, n_segments=12, size=32)
ODD_RUN = 'it\'s <b>bold</b> & "q" 🛑 100% #1/lime'
RUNS = (ODD_RUN, "cut/lime", "mixed/lime", "nan/lime", "two/lime")


@pytest.fixture(scope="module", params=["true", "false"], ids=["fast loader", "slow loader"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard under each loader, with a run of each kind."""
    log_dir = tmp_path_factory.mktemp("odd")
    write_run(log_dir / ODD_RUN, replace(SETTINGS, n_probes=len(NASTY), names=NASTY, class_names=NASTY))
    write_cut(log_dir / "cut" / "lime")
    write_mixed(log_dir / "mixed" / "lime")
    write_nan(log_dir / "nan" / "lime")
    write_run(log_dir / "two" / "lime", SETTINGS)
    write_run(log_dir / "two" / "lime", replace(SETTINGS, n_probes=3, first_epoch=3))
    with tensorboard(log_dir, f"--load_fast={request.param}") as served:

        def is_read() -> bool:
            runs = get_json(served, "data/plugin/keras_lime/manifest")["runs"]
            steps = {run["run"]: run["steps_hint"] for run in runs}
            return sorted(steps) == sorted(RUNS) and steps["two/lime"] == 6 and None not in steps.values()

        wait_until(is_read, seconds=120)
        yield served


def write_cut(folder: Path) -> None:
    write_run(folder, SETTINGS)
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:-200])


def write_mixed(folder: Path) -> None:
    probes = write_run(folder, SETTINGS)
    with RunWriter(folder) as writer:
        writer.record(result_tag(probes[0].id), 3, [b'{"v": 99, "kind": "result", "arrays": []}'])


def write_nan(folder: Path) -> None:
    probes = write_run(folder, SETTINGS)
    header, arrays = result_arrays(SETTINGS, probes[0], 3)
    header["predicted_value"] = None
    for name in arrays.keys() - {"targets"}:
        arrays[name] = np.full_like(arrays[name], np.nan)
    with RunWriter(folder) as writer:
        writer.record(result_tag(probes[0].id), 3, encode("result", header, arrays))
        writer.record(SUMMARY_TAG, 3, encode("summary", {}, {}))


def opened(tab: Tab, address: str, run: str, view: str = "") -> Frame:
    return tab.open(address, f"lime_run={quote(run, safe='')}{view}")


def first_probe() -> SyntheticProbe:
    return make_probes(SETTINGS)[0]


def test_names_are_text_wherever_they_stand(tab: Tab, address: str) -> None:
    frame = opened(tab, address, ODD_RUN)
    expect(frame.get_by_role("radio", name=ODD_RUN)).to_be_checked()
    expect(frame.locator(".tile canvas")).to_have_count(len(NASTY))
    assert frame.locator(".tile > .name").all_text_contents() == list(NASTY)
    for name in NASTY:
        frame.locator(".tile > .name").get_by_text(name, exact=True).click()
        expect(frame.locator(".detail h2")).to_have_text(name)
        expect(frame.locator(".bar").first).to_be_visible()
        frame.get_by_role("button", name="All probes").click()
    frame.get_by_role("tab", name="Compare").click()
    frame.get_by_label("Right", exact=True).select_option(ODD_RUN)
    expect(frame.locator(".pair-card")).to_have_count(len(NASTY))
    frame = opened(tab, address, ODD_RUN, f"&lime_page=shortcut&lime_runs={quote(json.dumps([ODD_RUN]), safe='')}")
    expect(frame.get_by_role("region", name=NASTY[0], exact=True)).to_be_visible()
    assert frame.locator("script, b:text-is('bold')").count() == frame.locator("body > script").count()


def test_a_truncated_event_file_shows_up_to_the_cut(tab: Tab, address: str) -> None:
    frame = opened(tab, address, "cut/lime")
    expect(frame.locator(".tile canvas")).to_have_count(SETTINGS.n_probes)
    expect(frame.locator(".tile .prediction b")).to_have_count(SETTINGS.n_probes)


def test_records_of_a_newer_version_are_named_in_a_notice(tab: Tab, address: str) -> None:
    frame = opened(tab, address, "mixed/lime")
    expect(frame.locator(".tile .prediction b")).to_have_count(SETTINGS.n_probes)
    frame.locator(".tile").first.click()
    expect(frame.locator(".notices")).to_contain_text("left out")
    expect(frame.locator(".bar").first).to_be_visible()


def test_a_probe_missing_in_a_later_session_is_gone_and_the_rest_shows(tab: Tab, address: str) -> None:
    frame = opened(tab, address, "two/lime")
    expect(frame.locator(".tile canvas")).to_have_count(3)
    expect(frame.locator(".steps output")).to_have_text("epoch 5, the newest")


def test_nan_weights_are_left_blank(tab: Tab, address: str) -> None:
    frame = opened(tab, address, "nan/lime", f"&lime_probe={first_probe().id}")
    expect(frame.locator(".strongest")).to_contain_text("No superpixel has a weight that the controls let through")
    expect(frame.locator(".explanation canvas")).to_be_visible()
    frame.get_by_role("button", name="All probes").click()
    expect(frame.locator(".tile canvas")).to_have_count(SETTINGS.n_probes)
