"""Takes the pictures of the page that README and the guides show, anew.

Run `python examples/stop_signs.py`, then `python examples/pictures/take.py logs`. It needs Playwright and Chromium.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from keras_lime.tensorboard.plugin.event_files import logged_runs
from keras_lime.tensorboard.records import result_tag

__all__ = ["main"]

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
RUN = "shortcut/lime"
SIZE = {"width": 1280, "height": 820}
SETTLING_MS = 4000


def main(arguments: list[str] | None = None) -> None:
    """Writes `overview.png`, `detail.png` and `shortcuts.png`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log_dir", type=Path, help="what stop_signs.py wrote")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args(arguments)
    views = {
        "overview": f"lime_run={RUN}",
        "detail": f"lime_run={RUN}&lime_probe={telling_probe(options.log_dir)}",
        "shortcuts": "lime_page=shortcut",
    }
    with tensorboard(options.log_dir) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, view in views.items():
            page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
            take(page, f"{address}/#keras_lime&{view}", options.out / f"{name}.png")
            page.close()
        browser.close()


def take(page: Page, address: str, path: Path) -> None:
    """Opens a view and photographs the LIME tab without TensorBoard's bar."""
    page.goto(address)
    handle = page.wait_for_selector("iframe[src*='name=keras_lime']")
    if handle is None:
        raise RuntimeError(f"TensorBoard shows no LIME tab at {address}.")
    page.wait_for_timeout(SETTLING_MS)
    handle.screenshot(path=path)


def telling_probe(log_dir: Path) -> str:
    """Id of the probe with the least of the explanation on its sign; one that is taken for another class first."""
    run = next(run for run in logged_runs(log_dir) if run.name == RUN)
    manifest = run.manifest
    if manifest is None:
        raise ValueError(f"The run {RUN} must have a manifest. Received: {log_dir}, where it has none.")
    found: list[tuple[bool, float, str]] = []
    for probe in manifest.header["probes"]:
        newest = run.newest(result_tag(probe["id"]))
        if newest is None:
            continue
        header: Any = newest[1].header
        targets, share = newest[1].array("targets"), newest[1].array("object_share")
        predicted = header["predicted"]
        if targets is None or share is None or predicted not in targets:
            continue
        right = predicted == probe["label"]
        found.append((right, float(share[targets.tolist().index(predicted)]), probe["id"]))
    return min(found)[2]


@contextmanager
def tensorboard(log_dir: Path) -> Iterator[str]:
    """Runs TensorBoard on a free port of loopback and yields its address."""
    with tempfile.TemporaryFile("w+") as output:
        command = [sys.executable, "-m", "tensorboard.main", f"--logdir={log_dir}", "--host=127.0.0.1", "--port=0"]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, text=True)
        try:
            for _ in range(600):
                output.seek(0)
                found = re.search(r"at (http://127\.0\.0\.1:\d+)", output.read())
                if found is not None:
                    yield found[1]
                    return
                time.sleep(0.1)
            raise TimeoutError("TensorBoard did not start within a minute.")
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
