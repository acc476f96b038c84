"""What the nearest training images leave in a run. A pure builder; `log` writes what it builds.

May import numpy, Pillow, the core and the records.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime.core.display import Display
from keras_lime.tensorboard.records import build

if TYPE_CHECKING:
    from keras_lime.training.nearest_images import Neighbours

__all__ = ["neighbour_parts"]

_SIZE = 96
_SMALL = 48
"""Images up to this size are stored as they are; larger ones as JPEG, a fourth of the bytes."""


def neighbour_parts(found: "Neighbours", ids: Sequence[str], display: Display) -> list[bytes]:
    """Builds the record of the nearest training images.

    Args:
        found: the epoch's.
        ids: of the probes.
        display: how the images are shown.

    Returns:
        The record's parts: header `pairs`, see the schema, and each training image once, at most 96 pixels high and
        wide.
    """
    shown = np.unique(found.nearest)
    places = {int(row): place for place, row in enumerate(shown)}
    pairs = [
        {
            "probe": ids[probe],
            "picture": places[int(row)],
            "label": _label(found.labels, int(row)),
            "similarity": round(float(similarity), 4),
        }
        for probe, (rows, similarities) in enumerate(zip(found.nearest, found.similarity, strict=True))
        for row, similarity in zip(rows, similarities, strict=True)
    ]
    pictures = {f"picture_{place}": _file(display.picture(found.images[row])) for row, place in places.items()}
    return build("neighbours", {"pairs": pairs, **pictures})


def _label(labels: NDArray[np.int64] | None, row: int) -> int | None:
    return None if labels is None or labels[row] < 0 else int(labels[row])


def _file(shown: NDArray[Any]) -> NDArray[np.uint8]:
    picture = Image.fromarray(np.floor(255 * shown + 0.5).astype(np.uint8))
    small = max(picture.size) <= _SMALL
    picture.thumbnail((_SIZE, _SIZE))
    stream = BytesIO()
    picture.save(stream, format="PNG" if small else "JPEG", quality=85)
    return np.frombuffer(stream.getvalue(), np.uint8)
