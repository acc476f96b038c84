"""What hidden superpixels show, and which of them it cannot tell anything about."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_lime.api.explain import explain
from keras_lime.core.baseline import (
    BASELINES,
    BLIND_BELOW,
    NamedBaseline,
    ToFill,
    baseline_help,
    baseline_image,
    baseline_label,
    blind_segments,
    register,
)
from keras_lime.core.display import Display
from keras_lime.core.localisation import object_share
from keras_lime.core.plan import make_plans
from keras_lime.core.segmentation import Segmentation
from keras_lime.core.settings import Settings, options
from keras_lime.exceptions import LimeWarning
from keras_lime.report.setting_labels import setting_labels
from tests.support.models import photo

BYTES = Display(0.0, 255.0)


def fill(image: np.ndarray, segmentation: Segmentation, baseline: Any, display: Display = BYTES) -> np.ndarray:
    grey = np.full(image.shape[-1], 127.5, np.float32)
    return baseline_image(baseline, ToFill(image, segmentation, grey, display, np.random.default_rng(0)))


def test_mean_baseline_is_exact_for_integers() -> None:
    image = np.array([[[0], [1], [10], [20]]], dtype=np.float32)
    segmentation = Segmentation.from_labels(np.array([[0, 0, 1, 1]]))
    filled = fill(image, segmentation, "mean")
    assert filled[0, :, 0].tolist() == [0.5, 0.5, 15.0, 15.0]
    assert filled.dtype == np.float32


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        ("grey", 127.5),
        (3, 3.0),
        ([1, 2, 3], [1.0, 2.0, 3.0]),
        (np.full((64, 64, 3), 9.0), 9.0),
        (lambda image, labels: np.where(labels[..., None] % 2 == 0, image, 0), None),
    ],
)
def test_other_baselines(baseline: Any, expected: Any) -> None:
    image = photo().astype(np.float32)
    segmentation = Segmentation.from_labels(np.arange(64 * 64).reshape(64, 64) // 128)
    filled = fill(image, segmentation, baseline)
    if expected is None:
        even = segmentation.labels % 2 == 0
        assert np.array_equal(filled[even], image[even])
        assert not filled[~even].any()
    else:
        assert np.array_equal(filled, np.broadcast_to(np.float32(expected), image.shape))


def test_blur_keeps_the_mean_and_loses_the_edges() -> None:
    image = photo().astype(np.float32)
    segmentation = Segmentation.from_labels(np.arange(64 * 64).reshape(64, 64) // 128)
    filled = fill(image, segmentation, "blur")
    assert abs(filled.mean() - image.mean()) < 3
    assert np.abs(np.diff(filled, axis=0)).max() < np.abs(np.diff(image, axis=0)).max() / 4


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ([1, 2], r"3 numbers.*\(2,\)"),
        (np.zeros((3, 3, 3)), r"\(3, 3, 3\)"),
        (np.nan, "finite"),
        (lambda image, labels: image[:5], r"\(5, 64, 3\)"),
        ("dataset", "several images.*x_train.mean"),
    ],
)
def test_bad_baselines_are_refused(baseline: Any, message: str) -> None:
    segmentation = Segmentation.from_labels(np.arange(64 * 64).reshape(64, 64) // 128)
    with pytest.raises(ValueError, match=f"`baseline`.*{message}"):
        fill(photo().astype(np.float32), segmentation, baseline)


def test_noise_fills_the_display_range_and_comes_from_the_seed() -> None:
    image = photo().astype(np.float32)
    segmentation = Segmentation.from_labels(np.arange(64 * 64).reshape(64, 64) // 128)
    for low, high in ((0.0, 255.0), (-1.0, 1.0)):
        filled = fill(image, segmentation, "noise", Display(low, high))
        assert low <= filled.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < filled.max() <= high
        assert abs(filled.mean() - (low + high) / 2) < 0.02 * (high - low)
    plans = [make_plans([photo()], Settings(baseline="noise", seed=seed))[0] for seed in (0, 0, 1)]
    assert np.array_equal(plans[0].baseline, plans[1].baseline)
    assert not np.array_equal(plans[0].baseline, plans[2].baseline)


def test_noise_leaves_the_masks_alone() -> None:
    mean, noise = (make_plans([photo()], Settings(baseline=name))[0] for name in ("mean", "noise"))
    assert np.array_equal(mean.neighborhood.masks, noise.neighborhood.masks)


def test_dataset_is_the_mean_of_the_images_explained_together() -> None:
    images = [photo(32, seed) for seed in range(3)]
    mean = np.stack(images).astype(np.float64).mean(axis=0).astype(np.float32)
    for plan in make_plans(images, Settings(baseline="dataset", second_baseline="grey")):
        assert np.array_equal(plan.baseline, mean)
        assert plan.second_baseline is not None
        assert (plan.second_baseline == 127.5).all()
    with pytest.raises(ValueError, match="several images"):
        make_plans(images[:1], Settings(baseline="dataset"))
    with pytest.raises(ValueError, match="several images"):
        make_plans(images[:1], Settings(second_baseline="dataset"))


@pytest.mark.parametrize(("low", "high"), [(0.0, 255.0), (0.0, 1.0), (-1.0, 1.0)])
def test_blind_is_what_looks_the_same_hidden_as_shown(low: float, high: float) -> None:
    segmentation = Segmentation.from_labels(np.arange(64).reshape(8, 8) // 16)
    step = (high - low) * BLIND_BELOW
    baseline = np.full((8, 8, 3), low, np.float32)
    image = baseline + np.float32(step) * np.array([0.0, 0.98, 1.02, 9.0], np.float32)[segmentation.labels][..., None]
    blind = blind_segments(image, baseline, segmentation, Display(low, high))
    assert blind.tolist() == [True, True, False, False]


def test_one_channel_counts_as_much_as_its_share() -> None:
    segmentation = Segmentation.from_labels(np.arange(64).reshape(8, 8) // 32)
    baseline, image = np.zeros((8, 8, 5), np.float32), np.zeros((8, 8, 5), np.float32)
    image[..., 4] = 10 * BLIND_BELOW
    assert not blind_segments(image, baseline, segmentation, Display(0.0, 1.0)).any()


def test_flat_regions_are_blind_with_their_mean_and_not_with_grey() -> None:
    image = photo()
    image[:, :32] = 30
    plans = [make_plans([image], Settings(baseline=name, segmentation="grid"))[0] for name in ("mean", "grey")]
    flat = plans[0].segmentation.share_inside(np.arange(64)[None].repeat(64, axis=0) < 32) == 1
    assert flat.any()
    assert plans[0].blind is not None
    assert plans[1].blind is not None
    assert np.array_equal(plans[0].blind, flat)
    assert not plans[1].blind.any()


def test_a_display_function_does_not_matter() -> None:
    image = (photo().astype(np.float32) - 120) / 60
    image[:, :32] = 0.1
    settings = Settings(segmentation="grid", display_fn=lambda each: np.clip(each * 60 + 120, 0, 255) / 255)
    blind = make_plans([image], settings)[0].blind
    other = make_plans([image], replace(settings, display_fn=lambda each: np.zeros_like(each)))[0].blind
    assert blind is not None
    assert other is not None
    assert blind.any()
    assert np.array_equal(blind, other)


def _mean(batch: np.ndarray) -> np.ndarray:
    means: np.ndarray = batch.mean(axis=(1, 2, 3))[:, None]
    return means


@pytest.fixture
def darker() -> Iterator[NamedBaseline]:
    """A baseline that somebody adds."""
    added = NamedBaseline(
        "darker", label="the image at half its brightness", help="half of it", fill=lambda given: given.image / 2
    )
    register(added)
    yield added
    del BASELINES["darker"]


def test_a_new_baseline_is_one_row_and_the_rest_follows(darker: NamedBaseline) -> None:
    image = photo()
    explanation: Any = explain(
        lambda batch: batch.mean(axis=(1, 2, 3))[:, None], image, output="regression", baseline=darker.name
    )
    np.testing.assert_array_equal(explanation.baseline, image.astype(np.float32) / 2)
    assert baseline_label(explanation.settings["baseline"]) == darker.label
    assert ["hidden superpixels show", darker.label] in setting_labels(explanation.settings)
    with pytest.raises(ValueError, match="one of mean, blur, .*, darker, or.*Did you mean 'darker'"):
        Settings(baseline="darkr")
    assert "darker" in options()["baseline"].describe()
    assert "darker: half of it" in baseline_help()


@pytest.mark.parametrize("name", ["dataset", "others"])
def test_baselines_of_several_images_say_what_to_pass_for_one(name: str) -> None:
    image = photo().astype(np.float32)
    with pytest.raises(ValueError, match=f'must not be "{name}" for one image.*pass baseline='):
        fill(image, Segmentation.from_labels(np.arange(64 * 64).reshape(64, 64) // 128), name)


@pytest.mark.parametrize(
    ("described", "label"),
    [
        ("mean", "their own mean colour"),
        ("keras_lime.core.reference_images.OtherPictures", "other images of the data set"),
        ("keras_lime.core.reference_images.ReferenceImages", "other images of the data set"),
        ("array(3,)", "array(3,)"),
        (0.5, "0.5"),
        ([1, 2, 3], "[1, 2, 3]"),
    ],
)
def test_labels_of_old_and_new_logs(described: Any, label: str) -> None:
    assert baseline_label(described) == label


@pytest.mark.parametrize(
    ("image", "baseline", "other"),
    [
        (np.full((64, 64, 3), 200, np.uint8), "mean", "grey"),
        (np.repeat(np.repeat(np.arange(49).reshape(7, 7), 8, 0), 8, 1)[..., None].astype(np.uint8) * 5, "mean", "grey"),
        (np.full((64, 64, 1), 127, np.uint8), "grey", "noise"),
        (np.full((64, 64, 3), 9, np.uint8), 9, "grey"),
    ],
)
def test_mostly_blind_superpixels_warn_at_the_start(image: np.ndarray, baseline: Any, other: str) -> None:
    settings = Settings(baseline=baseline, segmentation="grid", n_segments=49, num_samples=64)
    with pytest.warns(LimeWarning, match=f"of 49 superpixels look the same hidden.*Pass baseline=.{other}") as warned:
        make_plans([image], settings)
    assert len(warned) == 1
    make_plans([image], replace(settings, baseline=other))


def test_digits_that_are_all_blind_have_no_object_share() -> None:
    """8×8 digits: nothing can be learned, so nothing is drawn, and the object share is unknown and not chance."""
    digit, mask = load_digits().images[3][..., None].astype(np.uint8) * 15, np.zeros((8, 8), bool)
    mask[2:6, 2:6] = True
    with pytest.warns(LimeWarning) as warned:
        explanation: Any = explain(
            _mean, digit, output="regression", num_samples=500, baseline=lambda image, labels: image
        )
    assert any("superpixels look the same hidden" in str(each.message) for each in warned)
    assert explanation.blind.all()
    assert np.isnan(explanation.r2).all()
    assert np.isnan(object_share(replace(explanation, object_mask=mask))).all()
