"""How fast the page is: until the first tiles stand, and until the slider has redrawn the visible grid.

    python -m examples.benchmarks.page            64 probes × 500 epochs, 64 superpixels, 3 targets

The limits it is held to: 1.5 s in a warm browser, and 50 ms.
"""

import argparse
import shutil
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, PROGRAMS
from tests.browser.tab import Tab
from tests.support.serving import get_json, tensorboard, wait_until
from tests.support.synthetic_logs import Settings, write_run

FIRST = "document.querySelector('.tile canvas') && document.querySelector('.tile .prediction .name')"
VISIBLE = """
(() => {
  const tiles = [...document.querySelectorAll(".tile")];
  const seen = tiles.filter((tile) => tile.getBoundingClientRect().top < innerHeight);
  const drawn = (tile) => tile.querySelector("canvas") && tile.querySelector(".prediction .name");
  return seen.length > 0 && seen.every(drawn);
})()
"""
MOVE = """
async () => {
  const slider = document.querySelector(".steps input");
  const times = [];
  for (let round = 0; round < 20; round++) {
    const began = performance.now();
    slider.value = String((round * 97) % (Number(slider.max) + 1));
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    // Preact draws in a task of its own; the frame after that is on the screen.
    await new Promise((resolve) => setTimeout(resolve));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    times.push(performance.now() - began);
  }
  return times;
}
"""


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("n_probes", 64), ("epochs", 500), ("n_segments", 64), ("n_targets", 3), ("size", 128)):
        parser.add_argument(f"--{name}", type=int, default=default)
    settings = replace(Settings(), **vars(parser.parse_args()))
    with tempfile.TemporaryDirectory() as folder:
        write_run(Path(folder) / "run" / "lime", settings)
        with tensorboard(Path(folder)) as address:
            wait_until(lambda: is_read(address, settings.epochs), seconds=120)
            measure(address)


def is_read(address: str, epochs: int) -> bool:
    """True when TensorBoard has read the whole log."""
    runs = get_json(address, "data/plugin/keras_lime/manifest")["runs"]
    return bool(runs) and runs[0]["steps_hint"] == epochs


def measure(address: str) -> None:
    """Opens the tab four times, the first one to warm the browser, and moves the slider."""
    program = next(filter(None, map(shutil.which, PROGRAMS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        with Tab(browser) as tab:
            for opening in ("cold", "warm", "warm", "warm"):
                frame = tab.open(address)
                frame.wait_for_function(FIRST, polling=10)
                first = frame.evaluate("performance.now()")
                frame.wait_for_function(VISIBLE, polling=10)
                print(f"{opening}: first tile {first:.0f} ms, all visible {frame.evaluate('performance.now()'):.0f} ms")
            # All epochs are here when every series has come.
            frame.wait_for_function("performance.getEntriesByType('resource').length >= 64", polling=500)
            frame.wait_for_timeout(10_000)
            times = frame.evaluate(MOVE)
            drawn = frame.locator(".tile canvas").count()
            print(f"slider: median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms, {drawn} tiles drawn")
        browser.close()


if __name__ == "__main__":
    main()
