"""A data check → one HTML file without a script: sentences, a table and examples. May import the standard library."""

import base64
import html
from collections.abc import Sequence

from keras_lime.core.phrases import number
from keras_lime.data_check.features import PROPERTIES
from keras_lime.data_check.result import DataCheck, Telling

__all__ = ["data_check_page"]

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse }}
td, th {{ padding: .2rem .8rem; text-align: left; border-bottom: 1px solid #8884 }}
td + td, th + th {{ text-align: right; font-variant-numeric: tabular-nums }}
figure {{ margin: .5rem 0; display: flex; gap: .4rem; flex-wrap: wrap; align-items: center }}
figcaption {{ flex-basis: 100% }}
img {{ max-width: 7rem; max-height: 7rem }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p><strong>{headline}</strong></p>
{body}
</main>
</body>
</html>
"""

_METHOD = (
    "For each property, the class of every image was guessed from that property alone, by a linear discriminant that "
    "had learned from other images. Cohen's kappa is 0 where guesses are right by chance, and 1 where all are right. "
    "The last column holds what data without such a trace give: three standard errors, or more where shuffled labels "
    "gave more. A trace does not prove that a model uses it; test the trained model with keras_lime.shortcut_report."
)


def data_check_page(found: DataCheck, shown: Sequence[bytes], title: str) -> str:
    """The file's text; names of files and classes cannot break it.

    Args:
        found: what was found.
        shown: of each image of the sample a JPEG file.
        title: heading.
    """
    parts = [_paragraphs(found, shown), _table(found.properties), f"<h2>Method</h2><p>{html.escape(_METHOD)}</p>"]
    return _PAGE.format(title=html.escape(title), headline=html.escape(found.headline), body="\n".join(parts))


def _paragraphs(found: DataCheck, shown: Sequence[bytes]) -> str:
    told = list(found.sentences)
    parts = []
    for each, sentence in zip(found.findings, told, strict=False):
        parts.append(f"<p>{html.escape(sentence)}</p>")
        for name, examples in each.examples:
            images = "".join(_image(shown[position]) for position in examples)
            if images:
                parts.append(f"<figure><figcaption>{html.escape(name)}</figcaption>{images}</figure>")
    parts += [f"<p>{html.escape(sentence)}</p>" for sentence in told[len(found.findings) :]]
    for heading, pairs in (
        ("Under two labels", found.conflicts),
        ("In data and probes", found.leaks),
        ("Copies in a class", found.copies),
        ("Not readable", found.unreadable),
    ):
        if pairs:
            rows = "".join(
                f"<tr><td>{html.escape(first)}</td><td>{html.escape(second)}</td></tr>" for first, second in pairs[:50]
            )
            parts.append(f"<h2>{heading}</h2><table>{rows}</table>")
    return "\n".join(parts)


def _table(properties: Sequence[Telling]) -> str:
    if not properties:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(PROPERTIES[each.name].subject)}</td><td>{number(each.kappa, each.stderr)}</td>"
        f"<td>{number(each.clean)}</td></tr>"
        for each in properties
    )
    return f"<table><tr><th>property</th><th>kappa</th><th>of clean data, at most</th></tr>{rows}</table>"


def _image(file: bytes) -> str:
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(file).decode()}">'
