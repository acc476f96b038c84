"""Chromium, and the logs and servers that the browser tests share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.tab import Tab
from tests.browser.training import EPOCHS, Training, train
from tests.support.serving import get_json, tensorboard, wait_until

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    found = next((path for path in map(shutil.which, PROGRAMS) if path is not None), None)
    if found is None:
        command = "Install Chromium to run these tests: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(command)
        pytest.skip(command)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def shared_tab(browser: Browser) -> Iterator[Tab]:
    with Tab(browser) as opened:
        yield opened


@pytest.fixture
def tab(shared_tab: Tab) -> Iterator[Tab]:
    """The window of all tests, which load the page in it anew. What changes TensorBoard itself takes `own_tab`."""
    yield from shared_tab.lend()


@pytest.fixture
def own_tab(browser: Browser) -> Iterator[Tab]:
    """A window for one test alone."""
    with Tab(browser) as opened:
        yield from opened.lend()


@pytest.fixture(scope="package")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    return train(tmp_path_factory.mktemp("logs"))


@pytest.fixture(scope="package", params=["true", "false"], ids=["fast loader", "slow loader"])
def address(request: pytest.FixtureRequest, training: Training) -> Iterator[str]:
    """TensorBoard on the training's logs, under each loader."""
    if request.param == "true":
        yield request.getfixturevalue("fast_address")
        return
    with tensorboard(training.log_dir, "--load_fast=false", with_tensorflow=True) as served:
        wait_until_read(served, training.log_dir)
        yield served


@pytest.fixture(scope="package")
def fast_address(training: Training) -> Iterator[str]:
    """TensorBoard on the training's logs, for tests that do not care about the loader."""
    with tensorboard(training.log_dir, "--load_fast=true") as served:
        wait_until_read(served, training.log_dir)
        yield served


def wait_until_read(address: str, log_dir: Path) -> None:
    """Waits until TensorBoard has read every epoch of the training."""

    def is_read() -> bool:
        runs = get_json(address, "data/plugin/keras_lime/manifest")["runs"]
        return len(runs) == 2 and all(run["steps_hint"] == EPOCHS for run in runs)

    wait_until(is_read, seconds=120)
