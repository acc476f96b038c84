"""The kernel-width path is what explaining at each width would give, and it flags signs that depend on the width."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from sklearn.linear_model import HuberRegressor, LinearRegression

from keras_lime.core.diagnostics import SegmentDiagnostic, TargetDiagnostic
from keras_lime.core.kernel_path import KernelWidthPath, default_widths, fit_path
from keras_lime.core.neighborhood import Neighborhood, kernel_weights
from keras_lime.core.sampling import sample_neighborhood
from keras_lime.plotting import figure_png, plot_widths
from tests.core.test_diagnostics import explained
from tests.support.models import two_classes


@pytest.mark.parametrize("sampling", ["bernoulli", "balanced"])
@pytest.mark.parametrize("surrogate", [None, LinearRegression()])
def test_the_path_is_an_explanation_at_each_width(sampling: str, surrogate: Any) -> None:
    explanation, _ = explained(sampling=sampling, surrogate=surrogate)
    path = explanation.kernel_width_path([1.0, 0.2, 0.25])
    assert path.widths.tolist() == [0.2, 0.25, 1.0]
    assert path.coef.shape == path.stderr.shape == (3, 2, 49)
    for index, width in enumerate(path.widths):
        alone, _ = explained(sampling=sampling, surrogate=surrogate, kernel_width=float(width))
        assert alone.fit.stderr is not None
        np.testing.assert_allclose(path.coef[index], alone.fit.coef, atol=1e-9)
        np.testing.assert_allclose(path.stderr[index], alone.fit.stderr, atol=1e-9)


def test_the_default_grid_goes_through_the_own_width() -> None:
    for width in (0.25, 1.0):
        explanation, _ = explained(kernel_width=width)
        path = explanation.kernel_width_path()
        assert path.kernel_width == width
        assert width in path.widths
        np.testing.assert_allclose(path.coef[list(path.widths).index(width)], explanation.fit.coef, atol=1e-12)
        assert np.array_equal(path.widths, default_widths(width))


def test_the_widest_kernel_has_the_large_bandwidth_limit() -> None:
    """Garreau & Mardaoui 2021, section 4: beta_j tends to 2 (E[f | z_j = 1] − E[f])."""
    masks = np.random.default_rng(0).random((200_000, 8)) < 0.5
    masks[0] = True
    scores = np.tanh(masks @ np.arange(8.0) / 10 + masks[:, :1].T * masks[:, 1])[0][:, None]
    coef, stderr = fit_path(Neighborhood(masks, kernel_weights(masks, 0.25)), scores, 0.0, [1e3])
    expected = [2 * (scores[masks[:, j]].mean() - scores.mean()) for j in range(8)]
    np.testing.assert_allclose(coef[0, 0], expected, atol=4 * stderr.max())


def test_flags_are_those_of_the_default_path() -> None:
    def turning(images: np.ndarray) -> np.ndarray:
        shown = (np.abs(images[:, 4::9, 4::9, 0] - images[0, 4::9, 4::9, 0]) < 1).reshape(len(images), -1)
        return two_classes(0.5 + 0.9 * (shown[:, 0] - 0.5) * (shown[:, 1:].mean(axis=1) - 0.52))

    explanation, _ = explained(turning, num_samples=3000)
    flips = explanation.kernel_width_path().sign_flips
    assert flips.any()
    assert explanation.diagnostic_bits is not None
    np.testing.assert_array_equal(explanation.diagnostic_bits.where(SegmentDiagnostic.SIGN_FLIPS), flips)
    assert any("depends on the kernel width" in note for note in map(str, explanation.diagnostics))
    assert not explained()[0].kernel_width_path().sign_flips.any()


def test_a_planted_flip_is_found() -> None:
    """f is z_0 · (share of the others − 0.52): above zero near the image, below zero over all perturbations."""
    drawn = sample_neighborhood(30, 3000, 0.25, np.random.default_rng(0))
    share = drawn.masks[:, 1:].mean(axis=1)
    scores = ((drawn.masks[:, 0] - 0.5) * (share - 0.52))[:, None]
    widths = np.array([0.08, 0.25, 2.0])
    path = KernelWidthPath(widths, *fit_path(drawn, scores, 1.0, widths), 0.25, ("one",))
    assert path.coef[0, 0, 0] > 2 * path.stderr[0, 0, 0]
    assert path.coef[2, 0, 0] < -2 * path.stderr[2, 0, 0]
    assert path.sign_flips[0, 0]


def test_noise_is_not_flagged() -> None:
    """Weights whose signs differ within their errors: no more than a few in a thousand by chance."""
    flagged = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        drawn = sample_neighborhood(40, 256, 0.25, rng)
        widths = default_widths(0.25)
        path = KernelWidthPath(widths, *fit_path(drawn, rng.normal(size=(256, 2)), 1.0, widths), 0.25, ("a", "b"))
        flagged.append(path.sign_flips.mean())
    assert np.mean(flagged) < 0.005


def test_enumerated_masks_have_exact_signs_but_for_rounding() -> None:
    drawn = sample_neighborhood(7, 1000, 0.25, np.random.default_rng(0))
    assert drawn.enumerated
    scores = (drawn.masks @ np.array([3.0, -2.0, 1.0, 0.0, 0.0, 0.0, 0.0]))[:, None]
    widths = default_widths(0.25)
    path = KernelWidthPath(widths, *fit_path(drawn, scores, 0.0, widths), 0.25, ("one",))
    assert not path.stderr.any()
    np.testing.assert_allclose(path.coef[:, 0], np.tile([3.0, -2.0, 1.0, 0, 0, 0, 0], (5, 1)), atol=1e-9)
    assert not path.sign_flips.any()
    ridge, _ = explained(segmentation=np.arange(64 * 64).reshape(64, 64) // 512)
    path = ridge.kernel_width_path()
    np.testing.assert_allclose(path.coef[2], ridge.fit.coef, atol=1e-12)


def test_what_cannot_be_refitted_is_refused() -> None:
    explanation, _ = explained()
    for widths in ([], [0.0], [-1.0, 1.0], [np.nan]):
        with pytest.raises(ValueError, match="`widths` must be positive"):
            explanation.kernel_width_path(widths)
    other, _ = explained(surrogate=HuberRegressor(alpha=1.0, max_iter=10_000))
    with pytest.raises(ValueError, match="ridge regression or least squares"):
        other.kernel_width_path()
    assert other.diagnostic_bits is not None
    assert not any(each & TargetDiagnostic.SIGN_FLIPS for each in other.diagnostic_bits.targets)


def legend(ax: Axes) -> list[str]:
    found = ax.get_legend()
    assert found is not None
    return [text.get_text() for text in found.get_texts()]


class TestPlot:
    def test_strongest_and_flipping_superpixels_with_their_errors(self) -> None:
        explanation, _ = explained()
        path = explanation.kernel_width_path()
        figure = path.plot()
        (ax,) = figure.axes
        names = legend(ax)
        assert names == sorted(map(str, [index for index, _ in explanation.top_segments(8)]), key=int)
        for line, name in zip(ax.lines, names, strict=False):
            np.testing.assert_array_equal(line.get_ydata(), path.coef[:, 0, int(name)])
        assert len(ax.collections) == 8
        assert figure_png(figure).startswith(b"\x89PNG")

    def test_flips_are_starred(self) -> None:
        widths, coef = np.array([0.1, 0.25, 1.0]), np.ones((3, 2, 20))
        coef[:, 1, :9] = 5
        coef[0, 1, 19] = -1
        (ax,) = plot_widths(KernelWidthPath(widths, coef, np.zeros_like(coef), 0.25, ("a", "b $x$")), 1).axes
        assert legend(ax)[-1] == "19 (sign flips)"
        assert ax.get_title() == "b $x$"

    def test_other_targets_are_refused(self) -> None:
        path = explained()[0].kernel_width_path()
        with pytest.raises(ValueError, match="`target` must be a position in .*Received: target=2"):
            path.plot(2)
