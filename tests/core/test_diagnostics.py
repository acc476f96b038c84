"""Explanations know their limits, say them in words, keep them small in the log, and find them without a model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from keras_lime import explain
from keras_lime.core.diagnostics import SEGMENT_TEXTS, TARGET_TEXTS, SegmentDiagnostic, TargetDiagnostic
from keras_lime.core.explanation import Explanation
from keras_lime.core.fidelity import measure_fidelity, rank_agreement, weighted_spread
from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.pipeline import Subject, explain_plans
from keras_lime.core.plan import make_plans
from keras_lime.core.settings import make_settings
from keras_lime.exceptions import LimeWarning
from keras_lime.tensorboard.logging.log import manifest_parts, result_parts
from keras_lime.tensorboard.records import decode
from tests.support.models import MaskScorer, photo, two_classes

IMAGE = photo()


def brightness(images: np.ndarray) -> np.ndarray:
    """A linear model that reads the upper half."""
    return two_classes(images[:, :32].mean(axis=(1, 2, 3)) / 255)


def explained(function: Any = brightness, image: np.ndarray = IMAGE, **given: Any) -> tuple[Explanation, MaskScorer]:
    settings = make_settings(
        {"num_samples": 400, "targets": (1, 0), "segmentation": "grid", "baseline": "grey"} | given
    )
    scorer = MaskScorer(function, 2)
    (explanation,) = explain_plans(make_plans([image], settings), [Subject("image")], scorer, settings)
    return explanation, scorer


def codes(explanation: Explanation) -> list[TargetDiagnostic]:
    assert explanation.diagnostic_bits is not None
    return [TargetDiagnostic(int(value)) for value in explanation.diagnostic_bits.targets]


def test_nothing_is_wrong_with_a_linear_model() -> None:
    explanation, _ = explained()
    assert explanation.diagnostics == ()
    assert explanation.diagnostic_bits is not None
    assert not explanation.diagnostic_bits.segments.any()
    assert "diagnostic" not in repr(explanation)


def test_no_model_call_beside_the_scoring() -> None:
    for second, calls in ((None, 1), ("mean", 2)):
        explanation, scorer = explained(second_baseline=second)
        assert scorer.calls == calls
        _ = explanation.diagnostics, explanation.fidelity, explanation.agreement, explanation.blind, repr(explanation)
        explanation.kernel_width_path()
        explanation.overlay()
        result_parts(explanation)
        assert scorer.calls == calls


def test_effective_samples_are_the_share_of_equal_weights() -> None:
    masks = np.random.default_rng(0).random((100, 12)) < 0.5
    equal = Neighborhood(masks, np.full(100, 0.3))
    assert measure_fidelity(equal, np.zeros(1)).effective_samples == pytest.approx(100)
    half = Neighborhood(masks, np.repeat([1.0, 0.0], 50))
    assert measure_fidelity(half, np.zeros(1)).effective_samples == pytest.approx(50)
    one = Neighborhood(masks, np.eye(100)[0] + 1e-12)
    assert measure_fidelity(one, np.zeros(1)).effective_samples == pytest.approx(1)
    np.testing.assert_array_equal(
        measure_fidelity(equal, np.zeros(1)).samples_per_superpixel, [100 - column.sum() for column in masks.T]
    )
    assert measure_fidelity(Neighborhood(masks, np.ones(100), True), np.zeros(1)).effective_samples == np.inf


def test_narrow_kernels_and_few_samples_are_told() -> None:
    for given in ({"kernel_width": 0.05}, {"num_samples": 90}):
        explanation, _ = explained(**given)
        assert all(each & TargetDiagnostic.FEW_SAMPLES for each in codes(explanation))
        count = f"{explanation.fidelity.effective_samples:.0f} for 49"
        assert sum(f"for so many superpixels ({count})" in str(each) for each in explanation.diagnostics) == 1
    few, _ = explained(n_segments=4, num_samples=17, segmentation=np.arange(64 * 64).reshape(64, 64) // 512)
    assert all(each & TargetDiagnostic.FEW_SAMPLES for each in codes(few))
    everything, _ = explained(segmentation=np.arange(64 * 64).reshape(64, 64) // 512)
    assert not any(each & TargetDiagnostic.FEW_SAMPLES for each in codes(everything))
    assert everything.fidelity.effective_samples == np.inf


def test_a_poor_fit_is_told() -> None:
    def parity(images: np.ndarray) -> np.ndarray:
        shown = (np.abs(images[:, ::9, ::9, 0] - IMAGE[::9, ::9, 0]) < 1).reshape(len(images), -1)
        return two_classes(0.1 + 0.8 * (shown.sum(axis=1) % 2))

    explanation, _ = explained(parity)
    assert (explanation.r2 < 0.2).all()
    assert all(each & TargetDiagnostic.POOR_FIT for each in codes(explanation))
    (note,) = [note for note in map(str, explanation.diagnostics) if "R² is below 0.2" in note]
    assert f"({explanation.r2[0]:.2f})" in note
    assert repr(explanation).endswith("; 1 diagnostic>")


@pytest.mark.parametrize("level", [1e-5, 1e-9, 1e-14])
def test_saturation_is_told_and_the_logit_scale_sees_through_it(level: float) -> None:
    slopes = np.random.default_rng(1).normal(size=(64, 64, 1))

    def confident(images: np.ndarray) -> np.ndarray:
        odds = -np.log(level) + (images * slopes).mean(axis=(1, 2, 3)) / 4
        return two_classes(1 / (1 + np.exp(-odds)))

    probability, _ = explained(confident)
    assert all(each & TargetDiagnostic.SATURATED for each in codes(probability))
    assert any('scale="logit"' in note for note in map(str, probability.diagnostics))
    logit, _ = explained(confident, scale="logit", surrogate=LinearRegression())
    assert not any(each & TargetDiagnostic.SATURATED for each in codes(logit))
    if level > 1e-10:
        assert logit.baseline is not None
        drop = slopes[..., 0] * (logit.image.astype(float) - logit.baseline).sum(axis=2) / 4 / IMAGE.size
        labels = logit.segmentation.labels
        expected = np.bincount(labels.ravel(), weights=drop.ravel())
        np.testing.assert_allclose(logit.weights(1), expected, atol=1e-4 * np.abs(expected).max())
        assert logit.fit.r2[0] > 0.999
    np.testing.assert_array_equal(logit.prediction, probability.prediction)
    assert logit.settings["scale"] == "logit"


def test_certain_answers_that_do_move_are_not_saturated() -> None:
    def corner(images: np.ndarray) -> np.ndarray:
        return two_classes(np.where(np.abs(images[:, 2, 2, 0] - IMAGE[2, 2, 0]) < 1, 0.9999, 0.2))

    assert not any(each & TargetDiagnostic.SATURATED for each in codes(explained(corner)[0]))
    # Where nothing moves at all the log-odds would not tell more.
    still, _ = explained(lambda images: two_classes(np.full(len(images), 0.9999)))
    assert not any(each & TargetDiagnostic.SATURATED for each in codes(still))


def test_a_penalty_that_shrinks_the_weights_is_said() -> None:
    narrow, _ = explained(kernel_width=0.1, num_samples=1000)
    assert all(code & TargetDiagnostic.SHRUNK for code in codes(narrow))
    assert any("shrinks the weights" in diagnostic.sentence for diagnostic in narrow.diagnostics)
    assert not any(code & TargetDiagnostic.SHRUNK for code in codes(explained()[0]))


def _movement(explanation: Explanation) -> set[str]:
    """Which of the codes that speak of movement all targets have."""
    still = TargetDiagnostic.STILL | TargetDiagnostic.SMALL | TargetDiagnostic.SATURATED | TargetDiagnostic.POOR_FIT
    (found,) = {code & still for code in codes(explanation)}
    return {str(code.name) for code in TargetDiagnostic if code & found}


@pytest.mark.parametrize("p", [1e-4, 0.3, 0.5, 0.9999])
def test_what_moves_in_the_last_digits_alone_is_faint_and_no_evidence(p: float) -> None:
    def last_digits(images: np.ndarray) -> np.ndarray:
        return two_classes(p + 1.8e-7 * min(p, 1 - p) * images[:, :32].mean(axis=(1, 2, 3)) / 255)

    explanation, _ = explained(last_digits, targets=1)
    assert _movement(explanation) == {"STILL"}
    assert np.isnan(explanation.r2).all()
    assert explanation.faint(1).all()
    assert "noise around zero" in str(explanation.diagnostics[0])
    with pytest.warns(LimeWarning, match="hardly move, whatever is hidden.*batch normalization may still lag"):
        explain(last_digits, IMAGE, segmentation="grid", num_samples=100, targets=1)


def test_a_constant_function_is_still() -> None:
    explanation, _ = explained(lambda images: two_classes(np.full(len(images), 0.7)))
    assert _movement(explanation) == {"STILL"}
    assert not explanation.fit.coef.any()


@pytest.mark.parametrize(("p", "saturated"), [(0.004, True), (0.4, False), (0.998, True)])
def test_small_weights_are_determined_or_noise_by_their_errors(p: float, saturated: bool) -> None:
    def small(images: np.ndarray) -> np.ndarray:
        return two_classes(p + 2e-3 * images[:, :32].mean(axis=(1, 2, 3)) / 255 - 1e-3)

    def noise(images: np.ndarray) -> np.ndarray:
        # A hash of the mask: it says nothing about any single superpixel.
        seeds = (images[:, ::9, ::9].reshape(len(images), -1).astype(np.int64) @ np.arange(1, 193)) % 2**32
        return two_classes(np.array([p + 2e-3 * np.random.default_rng(seed).random() - 1e-3 for seed in seeds]))

    also = {"SATURATED"} if saturated else set()
    determined, _ = explained(small)
    assert _movement(determined) == {"SMALL"} | also
    assert not determined.faint(1)[:20].any()
    random, _ = explained(noise)
    assert _movement(random) == {"STILL"} | also
    assert random.faint(1).mean() > 0.8


def test_explain_warns_once_where_the_probability_is_saturated() -> None:
    def confident(images: np.ndarray) -> np.ndarray:
        return two_classes(1 / (1 + np.exp(-12 - images[:, :32].mean(axis=(1, 2, 3)) / 255)))

    settings: Any = {"segmentation": "grid", "baseline": "grey", "num_samples": 200}
    with pytest.warns(LimeWarning, match=r"^`image`: .*the probability.*scale=\"logit\"") as warned:
        explain(confident, IMAGE, **settings)
    assert len(warned) == 1
    with pytest.warns(LimeWarning, match=r"^`image` 0 and 1 more: "):
        explain(confident, [IMAGE, IMAGE[::-1]], **settings)
    explain(confident, IMAGE, scale="logit", **settings)


def test_clipped_log_odds_are_told() -> None:
    class Clipping(MaskScorer):
        share = 0.0

        def __call__(self, plans: Any, wanted: Any) -> Any:
            from dataclasses import replace

            for scores in super().__call__(plans, wanted):
                saturated = np.zeros(scores.values.shape, bool)
                saturated[: int(self.share * len(saturated))] = True
                yield replace(scores, saturated=saturated)

    for share, scale, told in ((0.5, "logit", True), (0.0, "logit", False), (0.5, "probability", False)):
        settings = make_settings({"num_samples": 400, "targets": 1, "segmentation": "grid", "scale": scale})
        scorer = Clipping(brightness, 2)
        scorer.share = share
        (explanation,) = explain_plans(make_plans([IMAGE], settings), [Subject("image")], scorer, settings)
        assert bool(codes(explanation)[0] & TargetDiagnostic.CLIPPED) == told
        assert any("logits are not available" in note for note in map(str, explanation.diagnostics)) == told


def test_blind_superpixels_are_marked_hatched_and_never_coloured() -> None:
    image = IMAGE.copy()
    image[:, :20] = 90
    explanation, _ = explained(image=image, baseline="mean")
    flat = explanation.segmentation.share_inside(np.arange(64)[None].repeat(64, axis=0) < 20) == 1
    assert np.array_equal(explanation.blind, flat)
    assert explanation.diagnostic_bits is not None
    assert np.array_equal(explanation.diagnostic_bits.where(SegmentDiagnostic.BLIND), np.stack([flat, flat]))
    blind, small = explanation.diagnostics
    assert small.code == TargetDiagnostic.SMALL
    assert blind.code == TargetDiagnostic.BLIND
    assert f"({flat.sum()} of 49: " in blind.sentence
    drawn = explanation.overlay(ground="picture")
    inside = flat[explanation.segmentation.labels]
    period, stripe = 5, 1
    rows, columns = np.nonzero(inside)
    phase = (rows + columns) % period
    expected = np.where(phase < stripe, 173, np.where(phase < 2 * stripe, 45, 90))
    np.testing.assert_array_equal(drawn[inside], np.repeat(expected[:, None], 3, axis=1))
    seeing, _ = explained(image=image)
    assert not seeing.blind.any()
    assert not np.array_equal(seeing.overlay(ground="picture")[inside], drawn[inside])


def test_a_second_baseline_that_agrees_and_one_that_does_not() -> None:
    def bright(images: np.ndarray) -> np.ndarray:
        return two_classes(np.tanh(images.mean(axis=(1, 2, 3)) / 255))

    image = np.clip(IMAGE, 40, 215)
    agreeing, _ = explained(bright, image, baseline=0, second_baseline=10)
    assert agreeing.agreement is not None
    assert (agreeing.agreement > 0.95).all()
    assert agreeing.diagnostics == ()
    other, _ = explained(bright, image, baseline=0, second_baseline=255)
    assert other.second is not None
    assert other.agreement is not None
    assert (other.fit.coef[0] > 0).all()
    assert (other.second.coef[0] < 0).all()
    assert other.diagnostic_bits is not None
    assert other.diagnostic_bits.where(SegmentDiagnostic.CONTRADICTED).all()
    alone, _ = explained(bright, image, baseline=255)
    np.testing.assert_array_equal(other.second.coef, alone.fit.coef)
    assert explained(bright, image)[0].agreement is None


def test_baselines_that_rank_otherwise_are_told() -> None:
    explanation, _ = explained(baseline=0, second_baseline="mean")
    assert explanation.agreement is not None
    assert (explanation.agreement < 0.5).all()
    assert all(each & TargetDiagnostic.BASELINES for each in codes(explanation))
    assert any("rank agreement" in note for note in map(str, explanation.diagnostics))


def test_rank_agreement_is_spearmans() -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(3, 20)), rng.normal(size=(3, 20)).round(1)
    expected = [spearmanr(*rows).statistic for rows in zip(one, other, strict=True)]
    np.testing.assert_allclose(rank_agreement(one, other), expected)
    assert rank_agreement(one, one**3).tolist() == pytest.approx([1, 1, 1])
    assert np.isnan(rank_agreement(one[:1], np.zeros((1, 20)))).all()


def test_weighted_spread_is_the_standard_deviation() -> None:
    values = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(weighted_spread(values, np.ones(50)), values.std(axis=0))
    counts = np.arange(50)
    np.testing.assert_allclose(
        weighted_spread(values, counts.astype(float)), np.repeat(values, counts, axis=0).std(axis=0)
    )


def test_the_log_keeps_flags_and_caveats_small() -> None:
    image = IMAGE.copy()
    image[:, :20] = 90
    three = (lambda images: np.concatenate([brightness(images), brightness(images)[:, :1]], axis=1), image)
    explanation, _ = explained(*three, targets=(0, 1, 2), n_segments=64, second_baseline="grey", baseline="mean")
    parts = result_parts(explanation)
    assert explanation.fit.stderr is not None
    assert explanation.fit.coef.shape == (3, 64)
    assert sum(map(len, parts)) < 2700
    record = decode(parts)
    assert explanation.diagnostic_bits is not None
    bits = explanation.diagnostic_bits
    for name, expected in (("flags", bits.segments), ("caveats", bits.targets)):
        stored = record.array(name)
        assert stored is not None
        assert stored.dtype == expected.dtype
        np.testing.assert_array_equal(stored, expected)
    agreement = record.array("agreement")
    assert agreement is not None
    assert explanation.agreement is not None
    np.testing.assert_allclose(agreement, explanation.agreement, atol=1e-6)
    assert decode(result_parts(explained()[0])).array("flags") is None


def test_the_manifest_says_what_the_bits_mean() -> None:
    header = decode(manifest_parts({}, [], [])).header
    assert header["flags"] == {str(int(flag)): SEGMENT_TEXTS[flag] for flag in SegmentDiagnostic}
    assert header["caveats"] == {str(int(caveat)): " ".join(TARGET_TEXTS[caveat]) for caveat in TargetDiagnostic}


def test_everything_survives_the_disk(tmp_path: Path) -> None:
    explanation, _ = explained(second_baseline="mean", scale="logit")
    found = Explanation.load(explanation.save(tmp_path / "one"))
    assert found.diagnostics == explanation.diagnostics
    assert found.second is not None
    assert explanation.second is not None
    np.testing.assert_array_equal(found.second.coef, explanation.second.coef)
    np.testing.assert_array_equal(found.kernel_width_path().coef, explanation.kernel_width_path().coef)
    np.testing.assert_array_equal(found.blind, explanation.blind)
