"""The LIME tab in a real browser: opens it, waits for it, and writes down what must not happen."""

from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Frame, Page, Request

# A cold browser on a busy machine takes its time to load TensorBoard's six megabytes.
PATIENCE = 30_000


class Tab:
    """TensorBoard's window with the LIME tab in it.

    Attributes:
        page: TensorBoard's window.
        problems: errors of the console and of scripts, breaches of the content security policy, requests that left
            loopback and answers of the plugin with an error. A test ends with none that it did not expect.
    """

    def __init__(self, browser: Browser, width: int = 1280, height: int = 720, **options: Any) -> None:
        self._context = browser.new_context(viewport={"width": width, "height": height}, **options)
        self._standing, self._lent = "", False
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.problems: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        self._context.on("request", self._asked)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._context.close()

    def open(self, address: str, view: str = "", query: str = "") -> Frame:
        """Opens the tab and waits until the page stands.

        The page is always loaded anew. TensorBoard's own window, which takes six times as long to load, stays where it
        shows the tab at this address already.

        Args:
            address: TensorBoard's address, without a slash at the end.
            view: what follows the tab's name in the address, such as `lime_page=compare`.
            query: TensorBoard's own part, such as `darkMode=true`.

        Returns:
            The frame the page is in.
        """
        window, view = f"{address}/{f'?{query}' if query else ''}", f"#keras_lime{f'&{view}' if view else ''}"
        if window == self._standing and self.page.url.startswith(f"{window}#keras_lime"):
            frame = self._found()
            url = frame.url
            # The old page would write its own view into the address once more.
            frame.goto("about:blank")
            self._begin()
            self.page.evaluate("(view) => history.replaceState(null, '', view)", view)
            frame.goto(url)
        else:
            self._standing = window
            # Where only what follows `#` differs the browser would load nothing.
            self.page.goto("about:blank")
            self._begin()
            self.page.goto(f"{window}{view}")
        return self.frame()

    def lend(self) -> Iterator[Self]:
        """Hands the window to a test that must end without problems; those of what stood in it before do not count."""
        self._lent = True
        yield self
        assert self.problems == []

    def _begin(self) -> None:
        if self._lent:
            self.problems = []
        self._lent = False

    def frame(self) -> Frame:
        """Waits for the frame and for what it shows, and returns it."""
        frame = self._found()
        frame.wait_for_selector("main")
        return frame

    def _found(self) -> Frame:
        handle = self.page.wait_for_selector("iframe[src*='name=keras_lime']")
        frame = handle.content_frame() if handle is not None else None
        assert frame is not None
        return frame

    @property
    def hash(self) -> str:
        """What the address of TensorBoard's window says behind `#`."""
        return str(self.page.evaluate("location.hash")).removeprefix("#")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.problems.append(f"console: {message.text} ({message.location['url']})")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("about", "blob", "data") and address.hostname != "127.0.0.1":
            self.problems.append(f"request to {request.url}")


def drawn(frame: Frame, selector: str) -> list[int]:
    """Reads the pixels of a canvas: RGB, row by row."""
    script = """(canvas) => {
      const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return Array.from(data).filter((_, index) => index % 4 < 3);
    }"""
    pixels = frame.eval_on_selector(selector, script)
    return list(pixels)


def set_slider(frame: Frame, label: str, value: float) -> None:
    """Moves a slider as a hand would, with the events that come of it."""
    slider = frame.get_by_label(label, exact=True)
    slider.evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )


def epoch(frame: Frame) -> int:
    """Reads the epoch that the slider names."""
    return int(frame.locator(".steps output b").first.inner_text())
