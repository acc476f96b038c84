"""The report in Chromium, opened from disk: it asks for nothing, draws its pictures, and prints."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from keras_lime.api.report import write_report
from keras_lime.auditing.summary import summarise
from tests.browser.tab import drawn
from tests.support.planted_audits import Planted, prover, write_audit
from tests.support.synthetic_logs import Settings, raise_alarm, write_run

EVIL = "<script>alert(1)</script>.png"
PATIENCE = 30_000


class Opened:
    """A report in a window of its own.

    Attributes:
        page: the window.
        problems: requests to anything but the file, errors of scripts and the console, breaches of the policy.
    """

    def __init__(self, browser: Browser, file: Path, scheme: str = "light") -> None:
        self._context = browser.new_context(
            viewport={"width": 1100, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.problems: list[str] = []
        self._context.on("request", lambda request: self._asked(request.url))
        self.page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        self.page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        self.page.on("console", self._heard)
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("html[data-drawn=all]", state="attached")

    def close(self) -> None:
        self._context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.problems.append(f"console: {message.text}")

    def _asked(self, url: str) -> None:
        if not url.startswith(("file://", "data:", "blob:")):
            self.problems.append(f"request to {url[:80]}")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = [f"{number % 3}/{number}.png" for number in range(60)]
    names[1], names[58] = EVIL, f"broken {EVIL}"
    planted = Planted(wrong=4, failed=2, names=names, class_names=("stop", "<b>yield</b>", "priority"))
    folder = write_audit(tmp_path_factory.mktemp("audit"), planted)
    summarise(folder, prove=prover(folder, planted))
    return write_report(folder, folder / "report.html")


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Opened]:
    found = Opened(browser, report)
    yield found
    found.close()
    assert found.problems == []


def test_it_says_what_was_found(opened: Opened, report: Path) -> None:
    page = opened.page
    findings = json.loads((report.parent / "summary.json").read_text("utf-8"))["findings"]
    assert page.locator(".lead").inner_text() == findings[0]
    assert page.locator(".short li").all_inner_texts() == findings[1:]
    headings = page.locator("h2").all_inner_texts()
    assert headings == [
        "In short",
        "Classes, the most doubtful first",
        "What speaks for each class",
        "Which classes are mistaken for which",
        "Mistakes",
        "Typical images",
        "Images that could not be explained",
        "How this was found, and what it cannot say",
    ]
    assert page.locator(".word.suspicious").count() >= 3
    proof = page.locator(".word.suspicious .proof").first
    assert "Proved by pasting: in images of other classes its patches change the probability" in proof.inner_text()
    shown = proof.locator("img")
    assert shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [72, 36]
    assert page.locator("table").first.locator("tbody tr").count() == 3


def test_names_are_text(opened: Opened) -> None:
    page = opened.page
    assert page.get_by_text(EVIL, exact=True).count() >= 1
    assert page.get_by_text(f"broken {EVIL}", exact=True).count() == 1
    assert page.locator("table").first.get_by_role("rowheader", name="<b>yield</b>").count() == 1
    assert page.locator("script").count() == 2
    assert page.locator("th b").count() == 0


def test_every_picture_is_drawn(opened: Opened) -> None:
    page, frame = opened.page, opened.page.main_frame
    canvases = page.locator("canvas")
    assert canvases.count() > 20
    pixels = frame.evaluate(
        """() => [...document.querySelectorAll("canvas")].map((canvas) => {
          const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(data.buffer)).size;
        })"""
    )
    assert min(pixels) > 20
    # The object's superpixels are green: the overlay is drawn, not the picture alone.
    shown = drawn(frame, "figure canvas")
    green = [shown[3 * at + 1] - shown[3 * at] for at in range(len(shown) // 3)]
    assert max(green) > 40


def test_pointing_at_a_picture_reads_its_weights(opened: Opened) -> None:
    canvas = opened.page.locator("figure canvas").first
    canvas.scroll_into_view_if_needed()
    canvas.hover()
    tip = opened.page.locator(".tip").inner_text()
    assert tip.startswith("weight +0.0")
    assert "±" in tip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_colour_scheme(browser: Browser, report: Path, scheme: str) -> None:
    found = Opened(browser, report, scheme)
    shade = found.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (shade == "rgb(255, 255, 255)") is (scheme == "light")
    found.close()
    assert found.problems == []


def test_it_prints(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    opened.page.pdf(path=file, format="A4", print_background=True)
    content = file.read_bytes()
    assert content.startswith(b"%PDF")
    assert content.count(b"/Image") > 20


def test_many_classes_are_cut_and_searched(browser: Browser, tmp_path: Path) -> None:
    folder = write_audit(tmp_path, Planted(images=300, classes=100, pixels=2, shard_size=100))
    summarise(folder)
    found = Opened(browser, write_report(folder, tmp_path / "report.html"))
    rows = found.page.locator("table").first.locator("tbody tr")
    assert rows.count() == 15
    found.page.get_by_role("button", name="Show all 100 classes").click()
    assert rows.count() == 100
    found.page.get_by_label("Find a class").fill("class 7")
    assert rows.count() == 11
    found.page.get_by_label("Find a class").fill("nothing of the kind")
    assert found.page.get_by_text("No class has such a name.").count() == 1
    found.close()
    assert found.problems == []


def test_a_log_is_shown_too(browser: Browser, tmp_path: Path) -> None:
    write_run(tmp_path / "logs" / "one" / "lime", Settings(n_probes=5, epochs=2))
    write_run(tmp_path / "logs" / "two" / "lime", Settings(n_probes=5, epochs=2, looks_at_object=0.1))
    found = Opened(browser, write_report(tmp_path / "logs", tmp_path / "report.html"))
    assert found.page.locator("h2.chapter").all_inner_texts() == ["one/lime", "two/lime"]
    assert found.page.locator("figure canvas").count() == 10
    runs = found.page.locator("table.runs")
    assert runs.locator("tbody th").all_inner_texts() == ["one/lime", "two/lime"]
    # Sorted by evidence on the object, most first, then least first.
    object_share = runs.get_by_role("button", name="evidence on the object")
    object_share.click()
    assert runs.locator("tbody th").all_inner_texts() == ["one/lime", "two/lime"]
    object_share.click()
    assert runs.locator("tbody th").all_inner_texts() == ["two/lime", "one/lime"]
    assert runs.locator("th[aria-sort=ascending]").count() == 1
    found.close()
    assert found.problems == []


def test_the_epochs_of_a_log_are_walked_through(browser: Browser, tmp_path: Path) -> None:
    write_run(tmp_path / "logs", Settings(n_probes=4, epochs=12, looks_at_object=0.1))
    raise_alarm(tmp_path / "logs", range(8, 12), "Predictions follow the background.")
    found = Opened(browser, write_report(tmp_path / "logs", tmp_path / "report.html"))
    page = found.page
    # What is alarming comes first, in red.
    assert page.locator("section, article").first.get_attribute("class") == "alarms"
    heading = page.locator(".alarms h2")
    assert "shortcut alarm" in heading.inner_text().lower()
    red, green, blue = (
        int(value) for value in heading.evaluate("e => getComputedStyle(e).color.match(/\\d+/g).map(Number)")
    )
    assert red > 2 * max(green, blue)
    assert page.locator("figure.curve path.line").count() >= 3
    slider = page.get_by_role("slider").first
    last = drawn(page.main_frame, "figure canvas")
    said = page.locator("figure:not(.curve) figcaption").all_inner_texts()
    slider.fill("0")
    page.wait_for_selector("html[data-drawn=all]", state="attached")
    assert set(page.locator(".slider b").all_inner_texts()) == {"0"}
    page.wait_for_timeout(300)
    assert drawn(page.main_frame, "figure canvas") != last
    assert page.locator("figure:not(.curve) figcaption").all_inner_texts() != said
    slider.fill("11")
    page.wait_for_timeout(300)
    assert drawn(page.main_frame, "figure canvas") == last
    found.close()
    assert found.problems == []


def test_without_javascript_the_findings_are_there(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert "Every class seems to be recognised by its surroundings" in page.locator("main").inner_text()
    assert "Pictures and tables need JavaScript" in page.locator("main").inner_text()
    context.close()
