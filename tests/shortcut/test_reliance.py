"""Reliance on answers of which it is known what they follow."""

import numpy as np
import pytest
from numpy.typing import NDArray

from keras_lime.shortcut.reliance import Reliance, reliance


def _swaps(n: int, n_classes: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Probes and donors of all pairs, and the labels."""
    probes, donors = (places.ravel() for places in np.mgrid[:n, :n])
    apart = probes != donors
    return probes[apart], donors[apart], np.arange(n) % n_classes


def _measure(background: float, thing: float, n: int = 60, n_classes: int = 5, seed: int = 0) -> Reliance:
    """A model that follows the background by a chance, the object by another, and else guesses."""
    rng = np.random.default_rng(seed)
    probes, donors, labels = _swaps(n, n_classes)
    drawn = rng.random(len(probes))
    predicted = np.where(
        drawn < background,
        labels[donors],
        np.where(drawn < background + thing, labels[probes], rng.integers(0, n_classes, len(probes))),
    )
    return reliance(predicted, probes, donors, labels, n_classes)


@pytest.mark.parametrize(("background", "thing"), [(0.0, 0.3), (0.3, 0.3), (0.5, 0.5), (0.8, 0.0), (0.0, 0.0)])
@pytest.mark.parametrize("n_classes", [2, 5, 10])
def test_what_is_followed_by_a_chance_is_found(background: float, thing: float, n_classes: int) -> None:
    found = _measure(background, thing, n_classes=n_classes)
    assert found.background == pytest.approx(background, abs=0.05)
    assert found.object == pytest.approx(thing, abs=0.05)


def test_answers_that_all_agree_leave_a_doubt() -> None:
    assert _measure(0.0, 1.0).stderr == pytest.approx(1 / 62)
    assert _measure(0.0, 1.0, n=6, n_classes=2).stderr == pytest.approx(1 / 8)


def test_its_error_covers_models_that_go_by_single_images() -> None:
    # Each background makes the model say one class, whatever its own: clustered answers, no shortcut.
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        probes, donors, labels = _swaps(30, 3)
        found.append(reliance(rng.integers(0, 3, 30)[donors], probes, donors, labels, 3))
    spread = np.std([each.background for each in found])
    assert spread > 0.05
    assert np.mean([each.stderr for each in found]) > 0.8 * spread


@pytest.mark.parametrize(
    ("probes", "donors"),
    [([], []), ([0, 1], [0, 1]), ([0, 0, 1, 1], [0, 0, 1, 1])],
)
def test_swaps_that_do_not_tell_object_and_background_apart(probes: list[int], donors: list[int]) -> None:
    rows = np.array(probes, np.int64)
    found = reliance(rows, rows, np.array(donors, np.int64), np.array([0, 1]), 2)
    assert np.isnan([found.background, found.stderr, found.object]).all()
