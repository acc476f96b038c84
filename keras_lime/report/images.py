"""The pictures of a report, each with its superpixels and weights, within a bounded number and size.

May import numpy and Pillow.
"""

import base64
import io
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["ReportImages", "image_url"]

_LONGEST = 256
"""Pixels of the longer side; larger pictures are made smaller."""

_MOST_BYTES = 9_500_000
_QUALITY = 85


class ReportImages:
    """Collects pictures.

    Args:
        most_bytes: how many bytes all pictures together may take. Defaults to 9.5 million.

    Attributes:
        entries: what `frontend/src/report/types.ts` calls `PictureData`, JSON values.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self.entries: list[dict[str, Any]] = []
        self._left = most_bytes

    def add(
        self,
        about: Mapping[str, Any],
        file: bytes,
        segments: NDArray[np.integer[Any]],
        weights: Sequence[float] | NDArray[np.floating[Any]],
        stderr: Sequence[float] | NDArray[np.floating[Any]] | None,
        epochs: Mapping[str, Any] | None = None,
    ) -> int | None:
        """Adds a picture.

        Args:
            about: `name`, `label`, `predicted`, `value`, `target`, `r2`.
            file: bytes of a PNG or JPEG file.
            segments: (h, w), the superpixel of each pixel.
            weights: (n_segments,).
            stderr: their standard errors, or None.
            epochs: what `weights_over_epochs` gives. Defaults to `None`, nothing.

        Returns:
            The picture's index, or None if there is no room left for it.
        """
        file, labels = _fitted(file, segments)
        entry = {
            **about,
            "width": labels.shape[1],
            "height": labels.shape[0],
            "file": image_url(file),
            "segments": base64.b64encode(zlib.compress(labels.astype("<u2").tobytes(), 9)).decode(),
            "weights": [_short(value) or 0 for value in weights],
            "stderr": None if stderr is None else [_short(value) for value in stderr],
            "epochs": epochs,
        }
        size = len(entry["file"]) + len(entry["segments"]) + 20 * len(entry["weights"])
        size += 0 if epochs is None else len(epochs["weights"]) + 80 * len(epochs["epochs"])
        if size > self._left:
            return None
        self._left -= size
        self.entries.append(entry)
        return len(self.entries) - 1


def image_url(file: bytes) -> str:
    """A PNG or JPEG file as the address of an image in a page."""
    kind = "png" if file.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(file).decode()}"


def _fitted(file: bytes, segments: NDArray[np.integer[Any]]) -> tuple[bytes, NDArray[np.integer[Any]]]:
    """The picture and its superpixels in one size, at most `_LONGEST` pixels high and wide."""
    height, width = segments.shape
    with Image.open(io.BytesIO(file)) as opened:
        scale = min(1.0, _LONGEST / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if opened.size == size and opened.format in ("PNG", "JPEG"):
            return file, segments
        picture = opened.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=_QUALITY)
    rows = (np.arange(size[1]) * height) // size[1]
    columns = (np.arange(size[0]) * width) // size[0]
    return written.getvalue(), segments[np.ix_(rows, columns)]


def _short(value: Any) -> float | None:
    """Four digits that count; None for what is not finite."""
    return float(f"{value:.4g}") if value is not None and math.isfinite(value) else None
