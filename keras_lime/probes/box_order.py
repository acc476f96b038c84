"""Whether boxes read as (top, left, bottom, right) rather stand as (left, top, right, bottom): looked up in the images.

In a square image both orders give boxes inside it, and the wrong one cuts out background where the object should be.
May import numpy.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.exceptions import warn
from keras_lime.probes.boxes import Boxes, fill_boxes

__all__ = ["warn_of_wrong_order"]

_LEAST_IMAGES = 4
"""Images whose boxes differ between the two orders, below which nothing is said."""

_STANDARD_ERRORS = 3.0
"""How much better the other order must fit, in standard errors of the mean over the images."""

_LEAST_DIFFERENCE = 0.1
"""How much better it must fit on average, in units of correlation."""


def warn_of_wrong_order(images: NDArray[Any], boxes: Boxes, masks: NDArray[np.bool_]) -> None:
    """Warns if the boxes fit what stands out in the images only when read as (left, top, right, bottom).

    An object differs from the image's border in colour. How well a mask fits is the correlation between the mask and
    the distance of each pixel's colour from the border's.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        boxes: for each image its boxes as (top, left, bottom, right).
        masks: the masks of these boxes, bool (n, h, w).
    """
    height, width = masks.shape[1:]
    swapped = [[(left, top, right, bottom) for top, left, bottom, right in boxes_of_one] for boxes_of_one in boxes]
    if any(bottom > height or right > width for boxes_of_one in swapped for _, _, bottom, right in boxes_of_one):
        return
    others = fill_boxes(swapped, (len(masks), height, width))
    differing = [index for index, (mask, other) in enumerate(zip(masks, others, strict=True)) if (mask != other).any()]
    if len(differing) < _LEAST_IMAGES:
        return
    gains = []
    for index in differing:
        distance = _distance_from_border(images[index])
        gains.append(_correlation(others[index], distance) - _correlation(masks[index], distance))
    mean, error = float(np.mean(gains)), float(np.std(gains, ddof=1)) / len(gains) ** 0.5
    if mean > _LEAST_DIFFERENCE and mean > _STANDARD_ERRORS * error:
        warn(
            "The boxes fit the images better when their numbers are read as (left, top, right, bottom). They are read "
            'as (top, left, bottom, right). Look at them with probes.plot(), and pass order="ltrb" if they stand in '
            'the other order, or order="tlbr" if they are right.'
        )


def _distance_from_border(image: NDArray[Any]) -> NDArray[np.float64]:
    """Distance of each pixel's colour from the median of the image's outermost rows and columns, (h, w)."""
    pixels = image.astype(np.float64).reshape(*image.shape[:2], -1)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    distance: NDArray[np.float64] = np.linalg.norm(pixels - np.median(border, axis=0), axis=-1)
    return distance


def _correlation(mask: NDArray[np.bool_], distance: NDArray[np.float64]) -> float:
    """Correlation of a mask with the distances; 0 where one of them is the same everywhere."""
    spread = mask.std() * distance.std()
    if spread == 0:
        return 0.0
    return float(((mask - mask.mean()) * (distance - distance.mean())).mean() / spread)
