"""`num_samples="auto"`: rounds that waste nothing, end where the weights are sure enough, and keep the masks."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.linear_model import HuberRegressor, LinearRegression

from keras_lime import LimeCallback, ProbeSet, explain
from keras_lime.core.diagnostics import TargetDiagnostic
from keras_lime.core.explanation import Explanation
from keras_lime.core.pipeline import Subject, explain_plans
from keras_lime.core.plan import Plan, make_plans
from keras_lime.core.sampling import block_size
from keras_lime.core.scores import Scores
from keras_lime.core.settings import make_settings
from keras_lime.tensorboard.logging.log import result_parts
from keras_lime.tensorboard.records import decode
from tests.support.classifiers import classifier
from tests.support.models import MaskScorer, photo, two_classes

# Least squares, so that a model that is a sum of superpixels has no error at all.
GRID: dict[str, Any] = {
    "segmentation": "grid",
    "n_segments": 25,
    "baseline": 0.0,
    "num_samples": "auto",
    "surrogate": LinearRegression(),
}
BLOCK = block_size(25)


class Counting(MaskScorer):
    """Keeps how many rows of which images each round scored."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        super().__init__(function)
        self.rounds: list[list[tuple[int, int]]] = []

    def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
        self.rounds.append([(int(plan.image[0, 0, 0]), len(plan.neighborhood.masks)) for plan in plans])
        return super().__call__(plans, wanted)


def harder_with_the_corner(images: np.ndarray) -> np.ndarray:
    """A probability that is a sum of cells for the image numbered 0, and more and more a matter of pairs beyond."""
    cells = images[:, 2::10, 2::10, 1].reshape(len(images), -1) / 255
    number = images[:, 0, 0, 0].max()
    linear = cells @ np.linspace(-1, 1, 25) / 5
    pairs = ((cells[:, :12] - 0.4) * (cells[:, 12:24] - 0.4)).sum(axis=1)
    cubes = ((cells[:, :8] - 0.4) * (cells[:, 8:16] - 0.4) * (cells[:, 16:24] - 0.4)).sum(axis=1)
    return two_classes(0.5 + 0.2 * linear + number * 0.01 * (pairs + 2 * cubes))


def numbered(number: int) -> np.ndarray:
    image = np.full((50, 50, 3), 200, np.uint8)
    image[0, 0, 0] = number
    return image


def run(numbers: Sequence[int], **given: Any) -> tuple[list[Explanation], Counting]:
    settings = make_settings({**GRID, **given})
    plans = make_plans([numbered(number) for number in numbers], settings)
    scorer = Counting(harder_with_the_corner)
    subjects = [Subject(f"image {number}") for number in numbers]
    return list(explain_plans(plans, subjects, scorer, settings)), scorer


def test_each_round_scores_all_images_that_still_need_it_and_no_row_twice() -> None:
    explanations, scorer = run([0, 3, 9], tolerance=0.05)
    used = {int(each.image[0, 0, 0]): each.num_samples or 0 for each in explanations}
    scored = {number: sum(rows for each in scorer.rounds for name, rows in each if name == number) for number in used}
    assert used == scored
    assert used[0] == 1 + BLOCK
    assert 1 + BLOCK < used[3] < used[9] <= 2000
    assert scorer.rounds[0] == [(0, 1 + BLOCK), (3, 1 + BLOCK), (9, 1 + BLOCK)]
    assert all(0 not in dict(each) for each in scorer.rounds[1:])
    steps = [rows % (BLOCK // 8) for each in scorer.rounds[1:] for name, rows in each if scored[name] < 2000]
    assert steps
    assert not any(steps)


@pytest.mark.parametrize("sampling", ["balanced", "bernoulli"])
@pytest.mark.parametrize("scale", ["probability", "logit"])
def test_the_result_is_that_of_so_many_samples(sampling: str, scale: str) -> None:
    (auto,), _ = run([3], tolerance=0.08, sampling=sampling, scale=scale, targets=(0, 1))
    (fixed,), _ = run([3], num_samples=auto.num_samples, sampling=sampling, scale=scale, targets=(0, 1))
    assert auto.neighborhood is not None
    assert fixed.neighborhood is not None
    np.testing.assert_array_equal(auto.neighborhood.masks, fixed.neighborhood.masks)
    np.testing.assert_allclose(auto.fit.coef, fixed.fit.coef, atol=1e-12)
    assert auto.fit.stderr is not None
    assert fixed.fit.stderr is not None
    np.testing.assert_allclose(auto.fit.stderr, fixed.fit.stderr, atol=1e-12)
    assert auto.fit.relative_error is not None
    assert auto.fit.relative_error.max() <= 0.08
    assert auto.targets == (0, 1)


def test_every_target_has_to_be_sure() -> None:
    def one_hard(images: np.ndarray) -> np.ndarray:
        easy, hard = (harder_with_the_corner(images * [[[[scale, 1, 1]]]])[:, 1] for scale in (0, 1))
        return np.stack([easy, hard, 1 - easy - hard], axis=1)

    settings = make_settings({**GRID, "targets": (0, 1), "tolerance": 0.05})
    plans = make_plans([numbered(3)], settings)
    (both,) = explain_plans(plans, [Subject("image")], MaskScorer(one_hard), settings)
    alone = make_settings({**GRID, "targets": 0, "tolerance": 0.05})
    (easy,) = explain_plans(plans, [Subject("image")], MaskScorer(one_hard), alone)
    assert both.num_samples is not None
    assert easy.num_samples == 1 + BLOCK < both.num_samples


def test_the_maximum_ends_it_and_a_note_says_so() -> None:
    (explanation,), _ = run([9], tolerance=1e-3, max_samples=200)
    assert explanation.num_samples == 200
    assert explanation.diagnostic_bits is not None
    assert (explanation.diagnostic_bits.targets & np.uint8(TargetDiagnostic.UNSURE)).all()
    (unsure,) = [each for each in explanation.diagnostics if each.code == TargetDiagnostic.UNSURE]
    assert "`max_samples` was reached" in unsure.sentence
    assert "typical error 0." in unsure.sentence
    (easy,), _ = run([0])
    assert not any("max_samples" in note for note in map(str, easy.diagnostics))


def test_nothing_varies_and_nothing_is_chased() -> None:
    settings = make_settings(GRID)
    plans = make_plans([numbered(0)], settings)
    constant = MaskScorer(lambda images: two_classes(np.full(len(images), 0.3)))
    (explanation,) = explain_plans(plans, [Subject("image")], constant, settings)
    assert explanation.num_samples == 1 + BLOCK
    assert explanation.fit.relative_error is not None
    assert explanation.fit.relative_error[0] == 0


def test_few_superpixels_take_all_masks_only_where_they_must() -> None:
    (loose,), _ = run([9], n_segments=9, tolerance=0.1)
    (tight,), scorer = run([9], n_segments=9, tolerance=1e-3)
    (exact,), _ = run([9], n_segments=9, num_samples=2000)
    assert loose.num_samples is not None
    assert block_size(9) <= loose.num_samples < 2**8
    assert tight.num_samples == 2**9 == sum(rows for each in scorer.rounds for _, rows in each)
    np.testing.assert_allclose(tight.fit.coef, exact.fit.coef, atol=1e-12)
    assert tight.fit.stderr is not None
    assert loose.fit.stderr is not None
    assert not tight.fit.stderr.any()
    largest = np.abs(exact.fit.coef).max()
    off = np.sqrt(np.mean((loose.fit.coef - exact.fit.coef) ** 2)) / largest
    claimed = np.sqrt(np.mean(loose.fit.stderr**2)) / largest
    assert off < 0.15
    assert 0.5 < claimed / off < 2


# Not number 9: 193 samples leave an error of a quarter there, and so loose a tolerance ends it early (guide: costs).
@pytest.mark.parametrize("number", [1, 3, 5])
def test_it_stops_where_the_tolerance_is_reached(number: int) -> None:
    limit = run([number], num_samples=8192)[0][0].fit.coef
    fixed = [
        run([number], num_samples=size, seed=1 + seed)[0][0].fit.coef - limit
        for size in (129, 193, 257)
        for seed in range(10)
    ]
    error = np.sqrt((np.array(fixed).reshape(3, -1) ** 2).mean(axis=1)) / np.abs(limit).max()
    # With this tolerance 193 samples are needed.
    used = [run([number], tolerance=float(error[1]), seed=1 + seed)[0][0].num_samples or 0 for seed in range(10)]
    assert error[0] > error[1] > error[2]
    assert 193 / 1.3 < np.mean(used) < 193 * 1.3


@pytest.mark.parametrize("scale", ["probability", "logit"])
def test_weights_that_chance_alone_would_make_are_not_sure(scale: str) -> None:
    """Every mask has an answer of its own, so there are no weights, and the largest is some 2.5 errors by chance."""

    def noise(images: np.ndarray) -> np.ndarray:
        codes = (images[:, 2::10, 2::10, 1].reshape(len(images), -1) > 0) @ (1 << np.arange(25))
        return two_classes(0.1 + 0.8 * np.array([np.random.default_rng(int(code)).random() for code in codes]))

    def explained(**given: Any) -> Explanation:
        settings = make_settings({**GRID, "scale": scale, **given})
        plans = make_plans([numbered(0)], settings)
        return next(iter(explain_plans(plans, [Subject("image")], MaskScorer(noise), settings)))

    few = [explained(num_samples=1 + BLOCK, seed=seed).fit.relative_error for seed in range(6)]
    assert min(float(np.max(error)) for error in few if error is not None) < 0.45
    assert {explained(tolerance=0.45, max_samples=300, seed=seed).num_samples for seed in range(6)} == {300}


def test_a_second_baseline_is_scored_once_with_the_same_perturbations() -> None:
    (explanation,), scorer = run([9], tolerance=0.05, second_baseline=50.0)
    assert explanation.agreement is not None
    total = sum(rows for each in scorer.rounds for _, rows in each)
    assert explanation.num_samples is not None
    assert total == 2 * explanation.num_samples
    assert scorer.rounds[-1] == [(9, explanation.num_samples)]


def test_errors_name_the_image() -> None:
    def broken(images: np.ndarray) -> np.ndarray:
        if images[:, 0, 0, 0].max() == 9:
            raise ValueError("no such picture")
        return harder_with_the_corner(images)

    settings = make_settings(GRID)
    plans = make_plans([numbered(0), numbered(9)], settings)
    with pytest.raises(ValueError, match="^image 9: no such picture"):
        list(explain_plans(plans, [Subject("image 0"), Subject("image 9")], MaskScorer(broken), settings))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"num_samples": "many"},
            "`num_samples` must be an integer.*, or 'auto'. Received: num_samples='many'",
        ),
        ({"max_samples": 1}, "`max_samples`.*at least 2"),
        ({"max_samples": 2.5}, "`max_samples`.*integer"),
        ({"tolerance": 0}, "`tolerance` must be a positive number"),
        ({"tolerance": float("inf")}, "`tolerance` must be a positive number"),
        ({"tolerance": "small"}, "`tolerance` must be a positive number"),
        ({"num_samples": "auto", "surrogate": HuberRegressor()}, '`num_samples="auto"` goes by the standard errors'),
    ],
)
def test_bad_settings_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_settings(given)


def test_fewer_samples_than_superpixels_are_refused() -> None:
    with pytest.raises(ValueError, match="`max_samples` must be at least the number of superpixels.*max_samples=20"):
        make_plans([numbered(0)], make_settings({**GRID, "max_samples": 20}))
    make_settings({"num_samples": "auto", "surrogate": LinearRegression()})


@pytest.mark.parametrize("plain", [False, True])
def test_real_models_in_shared_batches(plain: bool) -> None:
    keras.utils.set_random_seed(0)
    model = classifier((32, 32, 3), kernel_initializer=keras.initializers.RandomNormal(1.0, seed=1))
    model_or_function: Any = (lambda images: model.predict(images, verbose=0)) if plain else model
    images = [photo(32, seed).astype(np.float32) / 255 for seed in range(3)]
    given: dict[str, Any] = {**GRID, "tolerance": 0.04, "output": "softmax"}
    explanations = explain(model_or_function, images, **given)
    for image, explanation in zip(images, explanations, strict=True):
        count = explanation.num_samples
        alone = explain(model_or_function, image, **{**given, "num_samples": count})
        np.testing.assert_allclose(explanation.fit.coef, alone.fit.coef, atol=1e-5)


def test_every_epoch_takes_the_same_perturbations_and_the_log_says_how_many(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    images = np.stack([photo(32, seed) for seed in range(3)]).astype(np.float32) / 255
    model = classifier((32, 32, 3), kernel_initializer=keras.initializers.RandomNormal(1.0, seed=1))
    probes = ProbeSet(images, [0, 1, 2])
    callback = LimeCallback(probes, tmp_path, shortcut_threshold=None, **{**GRID, "tolerance": 0.04})
    first = callback.explain(model, 0)
    model.set_weights([3 * weight for weight in model.get_weights()])
    second = callback.explain(model, 1)
    callback.close()
    for one, two in zip(first, second, strict=True):
        assert one.neighborhood is not None
        assert two.neighborhood is not None
        common = min(one.num_samples or 0, two.num_samples or 0)
        np.testing.assert_array_equal(one.neighborhood.masks[:common], two.neighborhood.masks[:common])
    record = decode(result_parts(first[0]))
    assert record.header["num_samples"] == first[0].num_samples
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("events*"))
    assert b"num_samples" in written
