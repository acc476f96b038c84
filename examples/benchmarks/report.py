"""How large a report is, how long it takes to write, and how soon it stands in Chromium.

    python -m examples.benchmarks.report            4,000 noisy pictures of 222 × 222 pixels, 20 classes

Noise does not compress, so these are the largest files that pictures of this size can be. The limits it is held to:
15 MB, and 2 s until the page stands.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from keras_lime.api.report import write_report
from keras_lime.auditing.summary import summarise
from tests.browser.conftest import FLAGS, PROGRAMS
from tests.support.planted_audits import Planted, write_audit

STANDS = "html[data-ready]"
DRAWN = "html[data-drawn=all]"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("images", 4000), ("classes", 20), ("pixels", 37), ("wrong", 200), ("shard_size", 64)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--roughness", type=float, default=30.0)
    # Ten pictures of each class, again and again: only those that are shown weigh in the report.
    planted = Planted(variants=10, **vars(parser.parse_args()))
    with tempfile.TemporaryDirectory() as temporary:
        folder = write_audit(Path(temporary), planted)
        began = time.perf_counter()
        summarise(folder)
        summarised = time.perf_counter()
        file = write_report(folder, folder / "report.html")
        written = time.perf_counter()
        print(f"words and summary {summarised - began:.1f} s, report {written - summarised:.1f} s", flush=True)
        print(f"report: {file.stat().st_size / 1e6:.2f} MB")
        measure(file)


def measure(file: Path) -> None:
    """Opens the report four times, the first time in a browser that has just been started."""
    program = next(filter(None, map(shutil.which, PROGRAMS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for opening in ("cold", "warm", "warm", "warm"):
            page.goto("about:blank")
            page.goto(file.as_uri())
            page.wait_for_selector(STANDS, state="attached")
            # From the start of the navigation; the frame after that is on the screen.
            page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            stands = page.evaluate("performance.now()")
            page.wait_for_selector(DRAWN, state="attached")
            print(f"{opening}: stands {stands:.0f} ms, all pictures drawn {page.evaluate('performance.now()'):.0f} ms")
        browser.close()


if __name__ == "__main__":
    main()
