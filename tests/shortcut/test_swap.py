"""The background swap on readers of which it is known what they read."""

import numpy as np
import pytest

from keras_lime.shortcut.swap import SwapPlan, SwapScores, make_swap_plan, run_swap, why_no_swap
from tests.support.worlds import Reader, background_reader, object_reader, squares

GREY = np.full(3, 20.0)


def _plan(**given: object) -> SwapPlan:
    images, labels, masks = squares()
    return make_swap_plan(images, labels, masks, **{"grey": GREY} | given)  # type: ignore[arg-type]


def _swap(reader: Reader, plan: SwapPlan) -> SwapScores:
    scores = reader.score_images(plan.images)
    return run_swap(plan, reader, scores.argmax(axis=1).tolist(), scores.max(axis=1).tolist())


def test_a_reader_of_the_object_never_flips() -> None:
    found = _swap(object_reader(), _plan()).statistics()
    assert found.swap_flip == 0
    assert found.swap_flip_stderr == pytest.approx(0.5**0.5 / (found.n + 2))
    assert found.same_flip == 0
    assert (found.reliance, found.object_reliance) == pytest.approx((0, 1), abs=1e-9)
    assert 0 < found.reliance_stderr < 0.1
    assert found.background_certainty == pytest.approx(0, abs=1e-9)
    assert found.object_certainty == pytest.approx((0.91 - 0.25) / 0.75)


def test_a_reader_of_the_background_always_flips() -> None:
    scores = _swap(background_reader(), _plan())
    found = scores.statistics()
    assert found.swap_flip == 1
    assert found.same_flip == 0
    assert (found.reliance, found.object_reliance) == pytest.approx((1, 0), abs=1e-9)
    assert 0 < found.reliance_stderr < 0.1
    assert found.background_certainty == pytest.approx((0.91 - 0.25) / 0.75)
    assert found.object_certainty < 0.3
    assert {label: each.swap_flip for label, each in scores.classes().items()} == dict.fromkeys(range(4), 1.0)
    np.testing.assert_array_equal(scores.after, scores.plan.labels[scores.plan.donors])


def test_object_pixels_are_kept_and_donors_are_of_other_classes() -> None:
    plan = _plan()
    assert plan.donors.shape == (24, 4)
    for probe, donors in zip(plan.probes, plan.donors, strict=True):
        # Three other classes: each gives one background before any gives two.
        assert set(plan.labels[donors[:3]]) == set(range(4)) - {plan.labels[probe]}
        swapped = plan.swapped(probe, donors[0])
        assert swapped.dtype == np.uint8
        np.testing.assert_array_equal(swapped[plan.masks[probe]], plan.images[probe][plan.masks[probe]])
        outside = ~plan.masks[probe]
        np.testing.assert_array_equal(swapped[outside], plan.backgrounds[donors[0]][outside])


def test_the_draw_follows_the_seed() -> None:
    np.testing.assert_array_equal(_plan(seed=3).donors, _plan(seed=3).donors)
    assert (_plan(seed=3).donors != _plan(seed=4).donors).any()


def test_the_control_draws_within_the_class() -> None:
    plan = _plan(n_same=30)
    assert plan.same.shape == (24, 5)
    assert (plan.labels[plan.same] == plan.labels[plan.probes][:, None]).all()
    assert not (plan.same == plan.probes[:, None]).any()
    np.testing.assert_array_equal(plan.donors, _plan(n_same=0).donors)
    assert _plan(n_same=0).same.shape == (24, 0)


def test_without_a_control_it_is_unknown_whether_the_model_is_steady() -> None:
    assert np.isnan(_swap(object_reader(), _plan(n_same=0)).statistics().same_flip)


def test_a_mask_of_nothing_or_everything_leaves_its_probe_out() -> None:
    images, labels, masks = squares()
    masks[0], masks[5] = False, True
    plan = make_swap_plan(images, labels, masks, grey=GREY)
    assert not {0, 5} & set(plan.probes)
    assert not {0, 5} & set(plan.donors.ravel())


def test_one_probe_in_a_class_and_few_donors() -> None:
    images, _, masks = squares(5)
    labels = np.array([0, 0, 0, 0, 1])
    plan = make_swap_plan(images, labels, masks, grey=GREY)
    np.testing.assert_array_equal(plan.donors[:4, 0], [4] * 4)
    assert (plan.donors[:4, 1:] == -1).all()
    scores = _swap(object_reader(), plan)
    assert scores.statistics(1).swap_flip == 0
    assert np.isnan(scores.statistics(1).swap_flip_stderr)
    assert np.isnan(scores.statistics(7).swap_flip)
    assert scores.statistics(7).n == 0


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_pictures_without_channels(dtype: type) -> None:
    images, labels, masks = squares()
    plan = make_swap_plan(images[..., 1].astype(dtype), labels, masks, grey=np.array([20.0]))
    pictures = [np.asarray(picture) for picture in plan.pictures()]
    assert {picture.shape for picture in pictures} == {(32, 32)}
    assert {picture.dtype for picture in pictures} == {np.dtype(dtype)}


def test_why_it_cannot_be_measured() -> None:
    _, labels, masks = squares()
    assert why_no_swap(labels, masks) is None
    assert "no object masks" in str(why_no_swap(labels, None))
    assert "no labels" in str(why_no_swap(None, masks))
    assert "cover nothing" in str(why_no_swap(labels, np.zeros_like(masks)))
    assert "cover nothing" in str(why_no_swap(labels, np.ones_like(masks)))
    assert "one class" in str(why_no_swap(np.zeros_like(labels), masks))
    assert "two probes" in str(why_no_swap(np.arange(len(labels)), masks))
