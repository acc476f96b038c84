"""Pages: the built page's files, looked up by exact name.

The files come with the package, in `static/`; a checkout that was never built has none, and then a small script says so
in the tab. A name is compared with the names that are there and never joined to a path, so no name leads elsewhere.

May import the standard library alone.
"""

from importlib import resources

__all__ = ["page_file"]

# Not `mimetypes`, which reads the machine's registry: a wrong type there would keep the module from loading.
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}

_NOT_BUILT = """\
export function render() {
  const box = document.body.appendChild(document.createElement("div"));
  box.setAttribute("role", "alert");
  box.style.cssText = "font:16px/1.5 Roboto,sans-serif;max-width:40em;margin:4em auto;padding:1.5em;" +
    "background:#fff;color:#212121;border:1px solid #bdbdbd;border-radius:4px";
  box.appendChild(document.createElement("h2")).textContent = "The LIME page was not built";
  box.appendChild(document.createElement("p")).textContent =
    "keras_lime is used from a source tree without the built page. Install it, which builds the page, and start " +
    "TensorBoard again. In the source tree:";
  box.appendChild(document.createElement("pre")).textContent = "pip install .";
  box.appendChild(document.createElement("p")).textContent =
    "Meanwhile the Scalars and Images tabs show what the callback has logged.";
}
"""


def page_file(name: str) -> tuple[bytes, str] | None:
    """Returns one file of the page.

    Args:
        name: file name, such as `index.js`.

    Returns:
        Its content and its media type; `None` if there is no such file.
    """
    folder = resources.files("keras_lime.tensorboard").joinpath("static")
    files = {file.name: file for file in folder.iterdir() if file.is_file()} if folder.is_dir() else {}
    suffix = name[name.rfind(".") :]
    if name in files and suffix in _TYPES:
        return files[name].read_bytes(), _TYPES[suffix]
    if name == "index.js":
        return _NOT_BUILT.encode(), _TYPES[".js"]
    return None
