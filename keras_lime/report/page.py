"""Content → HTML, safe whatever names of files and classes hold. May import the standard library and `pages`."""

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from typing import Any

from keras_lime.tensorboard.plugin.static_files import page_file

__all__ = ["make_page", "page_script"]

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-{digest}'; \
style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
</head>
<body>
<main id="report">
<h1>{title}</h1>
{findings}
<noscript><p>Pictures and tables need JavaScript, which is switched off here.</p></noscript>
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def make_page(content: Mapping[str, Any]) -> str:
    """Puts content and script into one HTML file.

    Its content security policy lets the browser run this one script and load nothing: no request leaves the file.
    Without JavaScript it still shows the findings.

    Args:
        content: what `frontend/src/report/types.ts` calls `ReportData`, JSON values.

    Returns:
        The file's text.

    Raises:
        RuntimeError: if the script was not built, in a source tree.
    """
    script = page_script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    told = "".join(
        f"<p>{html.escape(sentence)}</p>\n" for chapter in content["chapters"] for sentence in chapter["findings"]
    )
    return _PAGE.format(
        digest=digest, title=html.escape(str(content["title"])), findings=told, data=_json(content), script=script
    )


def _json(content: Mapping[str, Any]) -> str:
    """JSON that cannot end the element it stands in, whatever its strings hold."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, escaped)
    # Half of a surrogate pair, as a file name of odd bytes gives, cannot be encoded.
    return text.encode("utf-8", "replace").decode()


def page_script() -> str:
    """The report's script.

    Raises:
        RuntimeError: if it was not built, in a source tree.
    """
    found = page_file("report.js")
    if found is None:
        raise RuntimeError(
            "The report's script was not built: keras_lime is used from a source tree. Install it with "
            "`pip install .`, which builds it."
        )
    return found[0].decode()
