"""A model's measurements for a receipt: right predictions, shortcut tests, object share. May import Keras."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.image import image_id
from keras_lime.core.localisation import object_share
from keras_lime.core.pipeline import explain_plans
from keras_lime.core.plan import Plan, make_plans
from keras_lime.core.settings import SettingsDict, make_settings
from keras_lime.data.datasets import read_batches
from keras_lime.probes import ProbeSet
from keras_lime.scoring import make_scorer
from keras_lime.shortcut.background_swap import RELIANCE_THRESHOLD
from keras_lime.shortcut.probe_data import prepare_probes
from keras_lime.shortcut.protocol import PreparedTest, prepare_test, run_test
from keras_lime.shortcut.registry import shortcut_tests
from keras_lime.shortcut.results import Predictions, TestResult

__all__ = ["Examination", "Measured", "validation_hits"]

_MOST_IMAGES = 5000
"""Validation images that are looked at, so that endless data sets end."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What one model was measured at.

    Attributes:
        hits: float array (n_probes,), 1 for a right prediction; NaN without labels.
        results: of every shortcut test.
        object_share: float array (n_probes,), share of the evidence that lies on the object under a grey baseline; NaN
            without a mask.
    """

    hits: NDArray[np.float64]
    results: tuple[TestResult, ...]
    object_share: NDArray[np.float64]


class Examination:
    """The same probes, pictures and perturbations for every model that is measured.

    Args:
        probes: the probes.
        seed: of whatever is drawn.
    """

    def __init__(self, probes: ProbeSet, seed: int) -> None:
        self._probes = probes
        chosen: SettingsDict = {"seed": seed, "baseline": "grey", "targets": "label"}
        self._settings = make_settings(chosen, num_samples=256)
        self._plans: list[Plan] | None = None
        tested = probes.tested
        self._data = prepare_probes(
            tested.images,
            tested.labels,
            tested.masks,
            outlines=tested.outlines,
            class_names=tested.class_names,
            seed=seed,
        )
        self._tests: Sequence[PreparedTest] = [prepare_test(test, self._data, True) for test in shortcut_tests()]

    def measure(self, model: Any) -> Measured:
        """Asks one model everything."""
        probes, data = self._probes, self._data
        scorer = make_scorer(model, probes.images[0].shape)
        scores = scorer.score_images(data.images)
        predictions = Predictions(scores.argmax(axis=1), scores.max(axis=1), scores.shape[1], probes.class_names)
        results = tuple(run_test(test, data, scorer, predictions, RELIANCE_THRESHOLD) for test in self._tests)
        shares = np.full(len(probes), np.nan)
        if probes.masks is not None and probes.labels is not None:
            if self._plans is None:
                self._plans = make_plans(list(probes.images), self._settings)
            explanations = explain_plans(self._plans, probes.subjects(), scorer, self._settings)
            shares = np.array([float(object_share(explanation)[0]) for explanation in explanations])
        hits = np.full(len(data.images), np.nan)
        if data.labels is not None:
            hits = (predictions.classes == data.labels).astype(np.float64)
        return Measured(hits, results, shares)


def validation_hits(model: Any, data: Any) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Which validation images a model predicts right.

    Args:
        model: a Keras model.
        data: anything that `fit` takes as `validation_data`; at most 5,000 images are looked at.

    Returns:
        Float array (n,) of 0 and 1, and the images' ids.

    Raises:
        ValueError: if it holds no images, or no labels.
    """
    scorer = make_scorer(model, tuple(model.input_shape[1:]))
    hits: list[NDArray[np.float64]] = []
    ids: list[str] = []
    for batch in read_batches(data):
        if batch.labels is None:
            raise ValueError("`validation_data` must have labels. Received: images alone. Give (images, labels).")
        hits.append((scorer.score_images(batch.images).argmax(axis=1) == batch.labels).astype(np.float64))
        ids += [image_id(image) for image in batch.images]
        if len(ids) >= _MOST_IMAGES:
            break
    if not ids:
        raise ValueError("`validation_data` must hold images. Received: none. Give (images, labels).")
    return np.concatenate(hits)[:_MOST_IMAGES], tuple(ids[:_MOST_IMAGES])
