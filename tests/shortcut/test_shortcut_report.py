"""The report on a trained model and the assertion, on readers of which it is known what they read."""

from typing import Any

import numpy as np
import pytest

import keras_lime
from keras_lime import ProbeSet, assert_no_shortcut, shortcut_report
from keras_lime.shortcut.registry import registered
from tests.support.shortcut_tests import Inverted
from tests.support.worlds import background_reader, corner_reader, object_reader, squares

NAMES = ("stop", "yield", "limit", "entry")
LIME: Any = {"segmentation": "grid", "n_segments": 16, "num_samples": 48, "baseline": 20}


def probes(biased: bool = True, **given: Any) -> ProbeSet:
    images, labels, masks = squares(32, biased=biased, seed=3)
    keywords: dict[str, Any] = {"masks": masks, "class_names": NAMES}
    return ProbeSet(images, labels, **keywords | given)


def test_a_reader_of_the_background() -> None:
    found = shortcut_report(background_reader(), probes(), **LIME)
    assert found.accuracy == 1
    assert found.swap.swap_flip == 1
    assert found.mixed_same == 1
    assert found.mixed_rand == 0
    assert found.bg_gap == 1
    assert [each.kind for each in found.findings][:2] == ["swap", "swap"]
    assert found.swap.reliance == pytest.approx(1)
    assert "100 ± 2 %" in str(found)
    assert "yield" in str(found)


def test_a_reader_of_the_object() -> None:
    found = shortcut_report(object_reader(), probes(), **LIME)
    assert found.swap.swap_flip == 0
    assert found.bg_gap == 0
    assert found.findings == ()
    assert found.object_share > 2 * probes().masks.mean()  # type: ignore[union-attr]
    assert found.relevance_rank > 2 * probes().masks.mean()  # type: ignore[union-attr]
    assert found.deletion < found.insertion
    assert max(found.occlusion.values()) == pytest.approx(0, abs=1e-9)


def test_bg_gap_of_an_unbiased_probe_set_says_nothing() -> None:
    found = shortcut_report(background_reader(), probes(biased=False), **LIME)
    assert abs(found.bg_gap) < 0.5
    assert found.swap.swap_flip > 0.5


def test_without_masks() -> None:
    found = shortcut_report(corner_reader(), probes(masks=None, outlines=None), **LIME)
    assert np.isnan(found.swap.swap_flip)
    assert np.isnan(found.object_share)
    assert max(found.occlusion, key=lambda name: found.occlusion[name]).startswith("bottom")
    assert found.occlusion["bottom right corner"] > 0.3
    assert "no object masks" in found.untested[0]
    assert "–" in str(found)
    place = found.common_regions[2]
    assert place.concentration > 0.05
    assert place.row > 0.75
    assert place.column > 0.75


def test_estimated_outlines_take_the_place_of_masks() -> None:
    found = shortcut_report(background_reader(), probes(masks=None), **LIME)
    assert found.results[0].status == "alarm"
    assert found.swap.reliance == pytest.approx(1)
    assert "By estimated outlines" in str(found)
    assert np.isnan(found.object_share)
    assert_no_shortcut(object_reader(), probes(masks=None))
    with pytest.raises(AssertionError, match="reads the background"):
        assert_no_shortcut(background_reader(), probes(masks=None))


def test_all_tested_images_are_tested() -> None:
    images, labels, masks = squares(40, seed=3)
    few = ProbeSet(images, labels, masks=masks).explaining(8)
    found = shortcut_report(background_reader(), few, **LIME)
    assert found.swap.n == 40
    with pytest.raises(AssertionError, match="40 probes"):
        assert_no_shortcut(background_reader(), few)


def test_without_labels() -> None:
    images, _, masks = squares(8)
    found = shortcut_report(object_reader(), ProbeSet(images, masks=masks), **LIME)
    assert np.isnan(found.accuracy)
    assert found.classes == {}
    assert "no labels" in str(found)


def test_an_assertion_for_a_test_suite() -> None:
    assert_no_shortcut(object_reader(), probes())
    with pytest.raises(
        AssertionError, match=r"reads the background: 100 ± 3 % of the predictions follow .* \(at most 10 % may"
    ):
        assert_no_shortcut(background_reader(), probes())
    with pytest.raises(AssertionError, match="stop: 100 ± 7 %"):
        assert_no_shortcut(background_reader(), probes())
    assert_no_shortcut(background_reader(), probes(), threshold=1.0)


@pytest.mark.parametrize("given", [{"masks": None, "outlines": None}, {"masks": np.zeros((32, 32, 32), bool)}])
def test_a_test_that_tests_nothing_must_not_pass(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="`probes` must have labels and objects"):
        assert_no_shortcut(object_reader(), probes(**given))


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="`threshold`"):
        assert_no_shortcut(object_reader(), probes(), threshold=25)
    with pytest.raises(ValueError, match="two or more classes"):
        shortcut_report(lambda images: images.mean(axis=(1, 2, 3))[:, None], probes(), output="regression", **LIME)


def test_they_are_public() -> None:
    assert {"assert_no_shortcut", "shortcut_report"} <= set(keras_lime.__all__)


@pytest.mark.parametrize("n", [30, 8])
def test_a_constant_classifier_does_not_pass(n: int) -> None:
    images, labels, masks = squares(n)

    def constant(shown: np.ndarray) -> np.ndarray:
        return np.tile([0.97, 0.01, 0.01, 0.01], (len(shown), 1))

    with pytest.raises(AssertionError, match=rf"Cannot say.*predicts stop for all {n} probes"):
        assert_no_shortcut(constant, ProbeSet(images, labels, masks=masks, class_names=NAMES))
    assert shortcut_report(constant, ProbeSet(images, labels, masks=masks), **LIME).status == "cannot say"


def test_few_probes_and_guesses_do_not_pass() -> None:
    images, labels, masks = squares(29)
    with pytest.raises(AssertionError, match=r"Cannot say.*29 probes are too few"):
        assert_no_shortcut(object_reader(), ProbeSet(images, labels, masks=masks))
    images, labels, masks = squares(32)
    with pytest.raises(AssertionError, match=r"Cannot say.*0 of 32 probes right.*value range"):
        assert_no_shortcut(object_reader(), ProbeSet(images, np.roll(labels, 1), masks=masks))


def test_a_test_in_one_file_reaches_the_report() -> None:
    with registered(Inverted()):
        found = shortcut_report(object_reader(), probes(), **LIME)
    assert [result.test for result in found.results] == ["swap", "markers", "occlusion", "inverted"]
    assert "inverted: " in str(found)
    assert "inverted: changed" in str(found)
