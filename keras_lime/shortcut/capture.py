"""How the images were taken: do sharpness, compression or light tell the class? For the words of an alarm only.

A model that reads blur or JPEG traces changes its mind with the background too, since both halves of an image carry
them. These statistics say whether the classes differ in that; they prove nothing about the model. May import numpy and
what a data check measures.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.phrases import listing
from keras_lime.data_check.agreement import FOLDS, agreement
from keras_lime.data_check.features import as_unit, measure

__all__ = ["CAPTURES", "LEAST_AGREEMENT", "capture_agreements", "capture_hint"]

CAPTURES = ("sharpness", "compression", "brightness", "colour")
"""What is measured, in order."""

LEAST_AGREEMENT = 0.4
"""Cohen's kappa from which a difference is named, if it is two standard errors above zero."""


def capture_agreements(images: NDArray[Any], labels: NDArray[np.int64]) -> dict[str, float]:
    """Cohen's kappa of the classes guessed from each property alone, the most telling first.

    Args:
        images: uint8 array (n, h, w, 3), as shown to people.
        labels: int array (n,).

    Returns:
        Kappa by name, for those that are above chance; none where there are fewer than five images of two classes.
    """
    classes, counts = np.unique(labels, return_counts=True)
    usable = np.isin(labels, classes[counts >= FOLDS])
    if (counts >= FOLDS).sum() < 2:
        return {}
    columns = measure(as_unit(images[usable], 255), CAPTURES)
    found = {name: agreement(values, labels[usable]) for name, values in columns.items()}
    told = {name: each.kappa for name, each in found.items() if each.least > 0}
    return dict(sorted(told.items(), key=lambda item: -item[1]))


def capture_hint(images: NDArray[Any], labels: NDArray[np.int64]) -> str:
    """What the classes differ in beside what they show, as a sentence; empty where nothing does.

    Args:
        images: uint8 array (n, h, w, 3), as shown to people.
        labels: int array (n,).
    """
    telling = [name for name, kappa in capture_agreements(images, labels).items() if kappa >= LEAST_AGREEMENT]
    if not telling:
        return ""
    return (
        f"A hint only: the classes of the probes differ in {listing(telling)}, so the model may read how the images "
        "were taken rather than a scene. Run keras_lime.check_data on the training images, and compare where those of "
        "each class come from."
    )
