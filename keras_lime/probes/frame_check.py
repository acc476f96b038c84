"""Whether the outer frame of the scanned images tells their class, in a line. May import the core and `data_check`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.display import Display
from keras_lime.core.phrases import count_of, number
from keras_lime.data_check.agreement import FOLDS
from keras_lime.data_check.features import measure
from keras_lime.data_check.judge import telling, why_untellable
from keras_lime.data_check.sample import Sampler
from keras_lime.shortcut.probe_data import display_of

__all__ = ["FrameCheck"]

_MOST = 1000
"""Images in the sample: at 64 pixels they cost a third of a second."""


class FrameCheck:
    """Looks at images one by one, and at the end says what their frames tell.

    Args:
        seed: of the draw of images.
    """

    def __init__(self, seed: int) -> None:
        self._sampler, self._seed = Sampler(_MOST, seed), seed
        self._display: Display | None = None

    def look(self, image: NDArray[Any], label: int) -> None:
        """Takes an image in, if it comes into the sample."""
        self._display = self._display or display_of(image, None)
        if self._sampler.wants():
            shown = self._display.picture(image).astype(np.float32)[None]
            self._sampler.keep((label, measure(shown, ("frame",))["frame"][0]))

    def sentence(self, class_names: Sequence[str] | None) -> str:
        """What was found; empty where classes cannot be compared."""
        taken = self._sampler.taken
        labels = np.array([label for label, _ in taken], np.int64)
        if why_untellable(labels):
            return ""
        classes, counts = np.unique(labels, return_counts=True)
        usable = np.isin(labels, classes[counts >= FOLDS])
        columns = np.stack([row for _, row in taken])[usable]
        names = None if class_names is None else tuple(class_names)
        found = telling("frame", columns, labels[usable], class_names=names, seed=self._seed)
        if not found.found:
            kappa = number(found.kappa, found.stderr)
            return f"The outer frame of {count_of(len(columns), 'image')} does not tell their class (kappa {kappa})."
        return f"{found.sentence} A model can learn the scene; `keras_lime.check_data` says more."
