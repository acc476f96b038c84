"""How fast the page is: until the first tiles stand, and until the slider has redrawn the visible grid.

    python -m examples.benchmarks.page            64 probes × 500 epochs, 64 superpixels, 3 targets
    python -m examples.benchmarks.page --before CHECKOUT    the page of another version too, in turn, on the same log

The limits it is held to: 1.5 s in a warm browser, and 50 ms.
"""

import argparse
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, PROGRAMS
from tests.browser.tab import Tab
from tests.support.serving import get_json, tensorboard, wait_until
from tests.support.synthetic_logs import Settings, write_run

HERE = Path(__file__).parents[2]
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
    parser.add_argument("--before", type=Path, help="checkout of another version, its page built")
    given = vars(parser.parse_args())
    checkouts = {"now": HERE} if given["before"] is None else {"before": given["before"], "now": HERE}
    del given["before"]
    settings = replace(Settings(), **given)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        write_run(Path(folder) / "run" / "lime", settings)
        addresses = {name: stack.enter_context(served_by(path, Path(folder))) for name, path in checkouts.items()}
        for address in addresses.values():
            wait_until(partial(is_read, address, settings.epochs), seconds=240)
        measure(addresses)


@contextmanager
def served_by(checkout: Path, log_dir: Path) -> Iterator[str]:
    """TensorBoard with the plugin of a checkout."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(checkout.resolve())
    try:
        with tensorboard(log_dir, output=log_dir / f"{checkout.resolve().name}.log") as address:
            yield address
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def is_read(address: str, epochs: int) -> bool:
    """True when TensorBoard has read the whole log."""
    runs = get_json(address, "data/plugin/keras_lime/manifest")["runs"]
    return bool(runs) and runs[0]["steps_hint"] == epochs


def measure(addresses: Mapping[str, str]) -> None:
    """Opens each tab four times in turn, the first time to warm the browser, and moves the sliders in turn."""
    program = next(filter(None, map(shutil.which, PROGRAMS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        with ExitStack() as stack:
            tabs = {name: stack.enter_context(Tab(browser)) for name in addresses}
            frames = {}
            for opening in ("cold", "warm", "warm", "warm"):
                for name, tab in tabs.items():
                    frame = frames[name] = tab.open(addresses[name])
                    frame.wait_for_function(FIRST, polling=10)
                    first = frame.evaluate("performance.now()")
                    frame.wait_for_function(VISIBLE, polling=10)
                    seen = frame.evaluate("performance.now()")
                    print(f"{name}, {opening}: first tile {first:.0f} ms, all visible {seen:.0f} ms", flush=True)
            for frame in frames.values():
                # Tiles fetch their epochs when they are seen; the slider is measured when these are here.
                frame.wait_for_timeout(10_000)
            for _ in range(3):
                for name, tab in tabs.items():
                    tab.page.bring_to_front()
                    times = frames[name].evaluate(MOVE)
                    drawn = frames[name].locator(".tile canvas").count()
                    middle = statistics.median(times)
                    print(f"{name}: slider median {middle:.0f} ms, worst {max(times):.0f} ms, {drawn} tiles drawn")
        browser.close()


if __name__ == "__main__":
    main()
