"""What a probe is called: its id by content, its name by class and id. May import numpy and the core."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.class_names import class_title
from keras_lime.core.image import image_id
from keras_lime.core.model_input import InputName
from keras_lime.probes.arguments import as_strings

__all__ = ["as_names", "check_unequal", "default_names", "probe_id"]


def probe_id(image: NDArray[Any], inputs: Mapping[InputName, NDArray[Any]]) -> str:
    """Names a probe by its content, in 16 hexadecimal digits: `image_id`, and of the other inputs where it has any."""
    content = image_id(image)
    if not inputs:
        return content
    digest = hashlib.sha256(content.encode())
    for name in sorted(inputs, key=str):
        row = np.ascontiguousarray(inputs[name])
        digest.update(f"{name}{row.dtype.str}{row.shape}".encode())
        digest.update(row.tobytes())
    return digest.hexdigest()[:16]


def check_unequal(ids: tuple[str, ...]) -> None:
    """Refuses equal images, naming them."""
    first: dict[str, int] = {}
    for index, content in enumerate(ids):
        if content in first:
            raise ValueError(
                f"`images` must differ from each other. Received: images {first[content]} and {index} are equal. "
                "Leave one of them out."
            )
        first[content] = index


def as_names(names: Sequence[str], n_probes: int) -> tuple[str, ...]:
    """Names given by the user: one for each of `n_probes`, unique, not empty."""
    given = as_strings("names", names)
    if len(given) != n_probes:
        raise ValueError(
            f"`names` must have one entry for each of the {n_probes} images. Received: {len(given)} names."
        )
    twice = [name for name, times in Counter(given).items() if times > 1]
    if twice or "" in given:
        received = f"{twice[0]!r} more than once" if twice else "an empty name"
        raise ValueError(f"`names` must be unique and not empty. Received: {received}.")
    return given


def default_names(
    ids: Sequence[str], classes: Sequence[Sequence[int]], class_names: Sequence[str] | None
) -> tuple[str, ...]:
    """Unique names: the classes, and as much of the id as distinguishes the images, at least six digits.

    Args:
        ids: unique ids.
        classes: true classes of each image, none where they are unknown.
        class_names: names of the classes, or None.
    """
    length = next(length for length in range(6, 17) if len({one[:length] for one in ids}) == len(ids))
    titles = [", ".join(class_title(label, class_names) for label in labels) or "image" for labels in classes]
    return tuple(f"{title} · {one[:length]}" for title, one in zip(titles, ids, strict=True))
