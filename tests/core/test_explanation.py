"""An explanation answers what it is asked, and survives being saved."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_lime.core.explanation import Explanation
from keras_lime.core.pipeline import Subject, explain_plans
from keras_lime.core.plan import make_plans
from keras_lime.core.settings import make_settings
from tests.support.models import MaskScorer, perturbed_images, photo, two_classes

PATCH = (slice(20, 44), slice(10, 30))


def patch_detector(images: np.ndarray) -> np.ndarray:
    """Probability that the patch looks as in the photo, near 1 there."""
    distance = np.abs(images[:, *PATCH] - photo()[PATCH]).mean(axis=(1, 2, 3))
    return two_classes(np.exp(-distance / 20))


def make(**given: Any) -> Explanation:
    settings = make_settings({"num_samples": 600, "targets": (1, 0), "segmentation": "grid"} | given)
    plans = make_plans([photo()], settings)
    mask = np.zeros((64, 64), bool)
    mask[PATCH] = True
    subject = Subject("image", label=1, name="a photo", object_mask=mask)
    scorer = MaskScorer(patch_detector, n_outputs=2)
    return next(explain_plans(plans, [subject], scorer, settings, class_names=("no", "yes"), step=3))


def test_planted_patch_is_found() -> None:
    explanation = make()
    inside = explanation.segmentation.share_inside(explanation.object_mask)  # type: ignore[arg-type]
    top = [segment for segment, _ in explanation.top_segments(6)]
    assert (inside[top] > 0.2).all()
    assert explanation.weights("yes")[inside == 0].max() < explanation.weights("yes")[inside > 0.9].min()
    np.testing.assert_allclose(explanation.weights("yes"), -explanation.weights("no"), atol=1e-12)


def test_heatmap_is_the_weights_by_pixel() -> None:
    explanation = make()
    heatmap = explanation.heatmap(0)
    assert heatmap.shape == (64, 64)
    for index, weight in enumerate(explanation.weights(0)):
        assert (heatmap[explanation.segmentation.labels == index] == weight).all()


def test_what_it_knows_about_itself() -> None:
    explanation = make()
    assert explanation.targets == (1, 0)
    assert explanation.target_names == ("yes", "no")
    assert (explanation.predicted, explanation.predicted_name) == (1, "yes")
    assert explanation.prediction[0] == explanation.predicted_value == 1.0
    assert explanation.settings["num_samples"] == 600
    assert repr(explanation) == (
        f"<Explanation a photo: 64×64×3, 49 superpixels; yes 1.000 (R² {explanation.fit.r2[0]:.2f}), "
        f"no 0.000 (R² {explanation.fit.r2[1]:.2f})>"
    )


def test_targets_that_were_not_explained_are_refused() -> None:
    for target in (5, "maybe"):
        with pytest.raises(ValueError, match="`target`.*{1: 'yes', 0: 'no'}.*Received: ('maybe'|5)"):
            make().weights(target)


def test_get_image_and_mask_takes_index_or_name() -> None:
    explanation = make()
    image, mask = explanation.get_image_and_mask(1, num_features=2)
    assert np.array_equal(image, photo())
    assert explanation.segmentation.areas[[segment for segment, _ in explanation.top_segments(2)]].sum() == mask.sum()
    assert np.array_equal(explanation.get_image_and_mask("yes", num_features=2)[1], mask)


def test_perturbed_is_what_the_model_saw() -> None:
    explanation = make()
    settings = make_settings({"num_samples": 600, "segmentation": "grid"})
    seen = perturbed_images(make_plans([photo()], settings)[0])
    for index in (0, 1, 599):
        assert np.array_equal(explanation.perturbed(index), seen[index].astype(np.float32))
    assert np.array_equal(explanation.perturbed(0), photo())


def test_saved_and_loaded_is_the_same(tmp_path: Path) -> None:
    explanation = make(baseline=lambda image, labels: image * 0)
    path = explanation.save(tmp_path / "one")
    assert path == tmp_path / "one.npz"
    _assert_same(Explanation.load(path), explanation)


def _assert_same(found: Any, expected: Any) -> None:
    for field in fields(expected):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if hasattr(other, "__dataclass_fields__"):
            _assert_same(one, other)
        elif isinstance(other, np.ndarray):
            np.testing.assert_array_equal(one, other, err_msg=field.name)
            assert one.dtype == other.dtype
        else:
            assert one == other, field.name


def test_other_files_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(ValueError, match=r"`Explanation.save\(\)`.*other.npz"):
        Explanation.load(tmp_path / "other.npz")


def test_output_that_does_not_fit_is_refused() -> None:
    settings = make_settings({"num_samples": 600, "segmentation": "grid"})
    plans = make_plans([photo()], settings)
    with pytest.raises(ValueError, match="below the model's 2 outputs.*label=7 for image"):
        next(explain_plans(plans, [Subject("image", label=7)], MaskScorer(patch_detector, 2), settings))
    with pytest.raises(ValueError, match="`class_names`.*2 outputs.*3 names"):
        next(
            explain_plans(
                plans, [Subject("image")], MaskScorer(patch_detector, 2), settings, class_names=("a", "b", "c")
            )
        )


def test_weights_that_may_be_zero_are_drawn_faint() -> None:
    # Independent masks: a balanced design leaves the patch's neighbours too little weight to be seen at all.
    explanation = make(sampling="bernoulli", num_samples=200)
    weights, stderr = explanation.weights("no"), explanation.fit.stderr
    assert stderr is not None
    faint = explanation.faint("no")
    np.testing.assert_array_equal(faint, np.abs(weights) <= 2 * stderr[1])
    assert faint.any()
    assert not faint.all()
    drawn = explanation.overlay("no", ground="picture")
    plain = explanation.overlay("no", ground="picture", mark_faint=False)
    inside = faint[explanation.segmentation.labels]
    np.testing.assert_array_equal(drawn[~inside], plain[~inside])
    picture = explanation.picture.astype(int)
    moved, moved_plainly = np.abs(drawn - picture)[inside].sum(), np.abs(plain - picture)[inside].sum()
    assert 0 < moved < 0.5 * moved_plainly
    exact = replace(explanation, fit=replace(explanation.fit, stderr=None))
    assert not exact.faint().any()
    np.testing.assert_array_equal(exact.overlay("no", ground="picture"), plain)
    # Where all masks were enumerated there is no error to speak of.
    assert not make(n_segments=9).faint().any()
