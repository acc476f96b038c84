"""Runs that are still being written, and pages that have nothing to show yet."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.records import MANIFEST_TAG, probe_tag
from tests.browser.tab import Tab, set_slider
from tests.support.serving import get_json, tensorboard, wait_until
from tests.support.synthetic_logs import Settings, make_probes, manifest_parts, probe_parts, write_epoch, write_run

SLOW = 30_000
SETTINGS = Settings(n_probes=4, n_segments=12, size=32)
QUICK = ("--reload_interval=1",)


def test_a_run_that_is_being_written_grows_on_the_page(tab: Tab, tmp_path: Path) -> None:
    probes = make_probes(SETTINGS)
    with tensorboard(tmp_path, *QUICK) as address:
        frame = tab.open(address)
        expect(frame.get_by_role("heading", name="No run has explanations yet")).to_be_visible()
        expect(frame.locator("pre")).to_contain_text("LimeCallback(probes")
        with RunWriter(tmp_path / "run" / "lime") as writer:
            writer.session_start(0)
            writer.record(MANIFEST_TAG, 0, manifest_parts(SETTINGS, probes))
            for probe in probes:
                writer.record(probe_tag(probe.id), 0, probe_parts(SETTINGS, probe))
            write_epoch(writer, SETTINGS, probes, 0)
            expect(frame.locator(".steps output b")).to_have_text("0", timeout=SLOW)
            expect(frame.locator(".tile canvas")).to_have_count(len(probes))
            write_epoch(writer, SETTINGS, probes, 1)
            expect(frame.locator(".steps output b")).to_have_text("1", timeout=SLOW)
            frame.get_by_role("button", name="Newest").click()
            write_epoch(writer, SETTINGS, probes, 2)
            expect(frame.locator(".steps output")).to_have_text("epoch 1, newest 2", timeout=SLOW)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard with a run that lost its manifest, one without masks, and a whole one."""
    log_dir = tmp_path_factory.mktemp("parts")
    with RunWriter(log_dir / "lost" / "lime") as writer:
        writer.session_start(0)
        write_epoch(writer, SETTINGS, make_probes(SETTINGS), 0)
    write_run(log_dir / "bare" / "lime", replace(SETTINGS, masks=False, epochs=2))
    write_run(log_dir / "run" / "lime", replace(SETTINGS, epochs=2))
    with tensorboard(log_dir) as served:

        def is_read() -> bool:
            runs = get_json(served, "data/plugin/keras_lime/manifest")["runs"]
            return sorted(run["steps_hint"] or 0 for run in runs) == [1, 2, 2]

        wait_until(is_read, seconds=120)
        yield served


def test_a_run_without_a_manifest_says_so(tab: Tab, address: str) -> None:
    frame = tab.open(address, "lime_run=lost/lime")
    expect(frame.get_by_role("heading", name="This run cannot be shown")).to_be_visible()
    expect(frame.locator(".empty")).to_contain_text("lost/lime")


def test_without_masks_the_page_tells_how_to_give_them(tab: Tab, address: str) -> None:
    frame = tab.open(address, 'lime_page=shortcut&lime_run=bare/lime&lime_runs=["bare/lime"]')
    expect(frame.get_by_role("heading", name="Where is the object?")).to_be_visible()
    expect(frame.locator("pre")).to_contain_text("masks=masks")
    frame.get_by_role("tab", name="Overview").click()
    expect(frame.locator(".tile canvas")).to_have_count(SETTINGS.n_probes)
    expect(frame.locator(".meter")).to_have_count(0)
    set_slider(frame, "Object share", 0.5)
    expect(frame.get_by_role("heading", name="No probe passes the filters")).to_be_visible()
    frame.get_by_role("button", name="Show all probes").click()
    expect(frame.locator(".tile canvas")).to_have_count(SETTINGS.n_probes)


def test_a_link_to_what_is_gone_is_answered(tab: Tab, address: str) -> None:
    frame = tab.open(address, "lime_run=gone/lime")
    expect(frame.get_by_role("heading", name="There is no run of this name")).to_be_visible()
    frame.get_by_role("radio", name="run/lime").check()
    expect(frame.locator(".tile canvas")).to_have_count(SETTINGS.n_probes)
    frame = tab.open(address, "lime_run=run/lime&lime_probe=gone&lime_epoch=99")
    expect(frame.get_by_role("heading", name="This probe is not in the run")).to_be_visible()
    frame.get_by_role("button", name="Show all probes").click()
    expect(frame.locator(".steps output b")).to_have_text("1")
