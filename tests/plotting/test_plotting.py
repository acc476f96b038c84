"""Figures: what stands in them, that their colours are the overlay's, and that nothing global is touched."""

import subprocess
import sys
import warnings
from dataclasses import replace
from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from keras_lime.core.diagnostics import SegmentDiagnostic
from keras_lime.core.display import Display
from keras_lime.core.explanation import Explanation
from keras_lime.core.localisation import object_share
from keras_lime.core.plan import make_plans
from keras_lime.core.scores import Scores
from keras_lime.core.settings import Settings
from keras_lime.core.surrogate import fit_surrogate
from keras_lime.exceptions import LimeWarning
from keras_lime.plotting import figure_png, plot, plot_samples, plot_segments


def explain(image: NDArray[Any], targets: tuple[int, ...] = (2, 0), settings: Settings | None = None) -> Explanation:
    """An explanation of a model that looks at the left half for its class 2, and away from it for the others."""
    settings = settings or Settings(segmentation="grid", n_segments=12, num_samples=256)
    (plan,) = make_plans([image], settings)
    labels = plan.segmentation.labels
    left = np.array(
        [(np.nonzero(labels == index)[1] < labels.shape[1] / 2).mean() for index in range(labels.max() + 1)]
    )
    lit = plan.neighborhood.masks @ left / left.sum()
    signs = np.array([1.0 if target == 2 else -1.0 for target in targets])
    values = 0.5 + 0.4 * signs * lit[:, None]
    scores = Scores(targets, values, np.log(values / (1 - values)), targets[0], float(values[0, 0]))
    fit = fit_surrogate(plan.neighborhood, values)
    names = ("no entry", "yield", "stop")
    return Explanation.assemble(plan, scores, fit, settings=settings.describe(), class_names=names)


@pytest.fixture
def image() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, size=(24, 32, 3), dtype=np.uint8)


@pytest.fixture
def explanation(image: NDArray[np.uint8]) -> Explanation:
    return explain(image)


def titles(figure: Figure) -> list[str]:
    return [ax.get_title() for ax in figure.axes]


def picture(figure: Figure, index: int) -> NDArray[np.uint8]:
    shown: NDArray[np.uint8] = np.asarray(figure.axes[index].images[0].get_array())
    return shown


def lines(ax: Any) -> NDArray[np.float64]:
    return np.array(ax.collections[0].get_segments())


def decoded(figure: Figure) -> NDArray[np.uint8]:
    png = figure_png(figure)
    assert png.startswith(b"\x89PNG")
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))


class TestPlot:
    def test_picture_and_every_target(self, explanation: Explanation) -> None:
        figure = plot(explanation)
        assert len(figure.axes) == 3
        assert titles(figure)[0] == "predicted: stop\np = 0.900"
        r2 = explanation.r2
        assert titles(figure)[1] == f"stop\np = 0.900 · R² = {r2[0]:.2f}"
        assert titles(figure)[2] == f"no entry\np = 0.100 · R² = {r2[1]:.2f}"
        np.testing.assert_array_equal(picture(figure, 0), explanation.picture)

    def test_colours_are_the_overlays(self, explanation: Explanation) -> None:
        scale = float(np.abs(explanation.fit.coef).max())
        for grey, ground in ((True, "grey"), (False, "picture")):
            figure = plot(explanation, grey=grey)
            for index, target in enumerate(explanation.targets):
                expected = explanation.overlay(target, scale=scale, ground=ground)  # type: ignore[arg-type]
                np.testing.assert_array_equal(picture(figure, 1 + index), expected)

    def test_without_colour_all_colour_is_weight(self, explanation: Explanation) -> None:
        weights = np.zeros_like(explanation.fit.coef)
        weights[:, 0] = 1.0
        shown = picture(plot(replace(explanation, fit=replace(explanation.fit, coef=weights))), 1)
        coloured = np.ptp(shown.astype(int), axis=-1) > 0
        np.testing.assert_array_equal(coloured, explanation.segmentation.labels == 0)
        assert (shown[coloured].argmax(axis=-1) == 1).all()

    def test_colour_bars_tell_the_scale(self, explanation: Explanation) -> None:
        for scale, expected in ((None, [np.abs(explanation.fit.coef).max()] * 2), (0.5, [0.5, 0.5])):
            figure = plot(explanation, scale=scale)
            for ax, largest in zip(figure.axes[1:], expected, strict=True):
                (bar,) = ax.child_axes
                np.testing.assert_allclose(bar.get_xticks(), [-largest, 0, largest])
                assert bar.get_xticklabels()[2].get_text() == f"+{largest:.2g}"

    def test_notes_stand_below_and_nothing_else_moves(self, explanation: Explanation) -> None:
        assert explanation.diagnostic_bits is not None
        bits = explanation.diagnostic_bits
        plain = plot(replace(explanation, diagnostic_bits=replace(bits, targets=np.zeros(2, np.uint16))))
        noted = replace(explanation, diagnostic_bits=replace(bits, targets=np.array([3, 1], np.uint16)))
        figure = plot(noted)
        assert len(noted.diagnostics) == 2
        words = " ".join(text.get_text() for text in figure.texts)
        for note in map(str, noted.diagnostics):
            assert " ".join(note.split()) in " ".join(words.split())
        assert plain.texts == []
        assert figure.get_figwidth() == plain.get_figwidth()
        for ax, other in zip(figure.axes, plain.axes, strict=True):
            np.testing.assert_allclose(
                ax.get_position().height * figure.get_figheight(), other.get_position().height * plain.get_figheight()
            )
            below = max(text.get_position()[1] for text in figure.texts)
            assert ax.get_position().y0 > below

    def test_what_cannot_be_judged_is_hatched(self, explanation: Explanation) -> None:
        assert explanation.diagnostic_bits is not None
        flags = np.zeros((2, 12), np.uint8)
        flags[:, 3] = SegmentDiagnostic.BLIND
        blind = replace(explanation, diagnostic_bits=replace(explanation.diagnostic_bits, segments=flags))
        scale = float(np.abs(explanation.fit.coef).max())
        shown, before = picture(plot(blind, scale=scale), 1), picture(plot(explanation, scale=scale), 1)
        np.testing.assert_array_equal(shown, blind.overlay(scale=scale))
        inside = explanation.segmentation.labels == 3
        assert not np.array_equal(shown[inside], before[inside])

    def test_palette(self, explanation: Explanation) -> None:
        scale = float(np.abs(explanation.fit.coef).max())
        figure = plot(explanation, palette="blue-orange", scale=scale)
        np.testing.assert_array_equal(picture(figure, 1), explanation.overlay(palette="blue-orange", scale=scale))

    def test_wrong_predictions_are_marked(self, explanation: Explanation) -> None:
        (right, wrong, unnamed) = (plot(replace(explanation, label=label)).axes[0].title for label in (2, 0, 1))
        assert right.get_text() == "predicted: stop\np = 0.900"
        assert wrong.get_text() == "predicted: stop\np = 0.900 · true: no entry"
        assert unnamed.get_text().endswith("true: class 1")
        assert wrong.get_color() == unnamed.get_color() != right.get_color()

    def test_the_object_and_its_share(self, explanation: Explanation) -> None:
        mask = np.zeros((24, 32), dtype=bool)
        mask[:, :16] = True
        figure = plot(replace(explanation, object_mask=mask))
        share = object_share(replace(explanation, object_mask=mask))
        assert share[0] > 0.9
        assert titles(figure)[1].endswith(f"\nobject share {share[0]:.2f} (chance 0.50)")
        for ax in figure.axes:
            np.testing.assert_array_equal(np.unique(lines(ax)[..., 0]), [15.5])

    def test_name_and_step_head_the_figure(self, explanation: Explanation) -> None:
        figure = plot(replace(explanation, name="stop/0001.png", step=7))
        assert [text.get_text() for text in figure.texts] == ["stop/0001.png · step 7"]
        assert plot(explanation).texts == []

    def test_regression(self, explanation: Explanation) -> None:
        figure = plot(replace(explanation, predicted=None, predicted_name=None, predicted_value=12.3456))
        assert titles(figure)[0] == "predicted 12.35"
        assert titles(figure)[1].startswith("stop\n0.9 · R²")

    def test_undefined_numbers(self, explanation: Explanation) -> None:
        nothing = np.zeros_like(explanation.fit.coef)
        nothing[0] = np.nan
        fit = replace(explanation.fit, coef=nothing, r2=np.array([np.nan, np.nan]), r2_adjusted=None)
        figure = plot(replace(explanation, fit=fit, prediction=np.array([1.0, 1e-9])))
        assert titles(figure)[1:] == ["stop\np = 1.000 · R² undefined", "no entry\np < 0.001 · R² undefined"]
        assert decoded(figure).any()

    @pytest.mark.parametrize("name", ["a $b$ and $\\frac{1}$", "<script>alert(1)</script>", "w" * 200, "two\nlines"])
    def test_odd_names_are_shown_as_text(self, name: str, explanation: Explanation) -> None:
        figure = plot(replace(explanation, target_names=(name, "x"), predicted_name=name, name=name))
        assert decoded(figure).any()
        words = titles(figure)[1].split("\n")
        assert len(words) == 2
        assert words[0] == name or len(words[0]) < 40

    @pytest.mark.parametrize("count", [1, 3, 5, 9])
    def test_words_and_pictures_never_collide(self, count: int, image: NDArray[np.uint8]) -> None:
        explanation = explain(image, targets=tuple(range(count)) if count == 3 else (2,))
        rows = np.zeros(count, int)
        fit = explanation.fit
        assert fit.stderr is not None
        explanation = replace(
            explanation,
            targets=tuple(range(count)),
            target_names=tuple(f"class {index}" for index in range(count)),
            prediction=explanation.prediction[rows],
            fit=replace(fit, coef=fit.coef[rows], stderr=fit.stderr[rows], r2=fit.r2[rows], r2_adjusted=None),
            name="a probe",
            object_mask=np.ones((24, 32), bool),
        )
        figure = plot(explanation)
        figure.draw_without_rendering()
        assert len(figure.axes) == count + 1
        boxes: list[Any] = [figure.texts[0].get_window_extent()]
        for ax in figure.axes:
            boxes += [ax.get_window_extent(), ax.title.get_window_extent()]
            boxes += [bar.get_tightbbox() for bar in ax.child_axes]
        for index, box in enumerate(boxes):
            assert box.x0 >= -1
            assert box.y0 >= -1
            assert box.x1 <= figure.bbox.x1 + 1
            assert box.y1 <= figure.bbox.y1 + 1
            for other in boxes[:index]:
                assert not box.padded(-1).overlaps(other)


class TestPlotSegments:
    def test_every_number_stands_in_its_superpixel(self, image: NDArray[np.uint8]) -> None:
        labels = np.zeros((24, 32), int)
        labels[4:20, 4:28] = 1
        labels[6:18, 6:26] = 2  # a ring: its centre of gravity lies in another superpixel
        with pytest.warns(LimeWarning, match="3 superpixels"):
            explanation = explain(image, settings=Settings(segmentation=labels, num_samples=64))
        figure = plot_segments(explanation)
        (ax,) = figure.axes
        found = explanation.segmentation.labels
        for text in ax.texts:
            column, row = map(int, text.get_position())
            assert found[row, column] == int(text.get_text())
        assert len(ax.texts) == 3
        assert titles(figure) == ["3 superpixels"]

    def test_rims_lie_between_superpixels(self, explanation: Explanation) -> None:
        (ax,) = plot_segments(explanation).axes
        labels = explanation.segmentation.labels
        rims = lines(ax)
        assert len(rims) == (labels[1:] != labels[:-1]).sum() + (labels[:, 1:] != labels[:, :-1]).sum()
        for (x0, y0), (x1, y1) in rims:
            across = (0.5, 0.0) if x0 == x1 else (0.0, 0.5)
            column, row = (x0 + x1) / 2, (y0 + y1) / 2
            one = labels[int(row - across[1]), int(column - across[0])]
            other = labels[int(row + across[1]), int(column + across[0])]
            assert one != other


class TestPlotSamples:
    def test_shows_what_the_model_saw(self, explanation: Explanation) -> None:
        figure = plot_samples(explanation, n=6)
        assert len(figure.axes) == 6
        np.testing.assert_array_equal(picture(figure, 0), explanation.picture)
        for index in range(6):
            expected = np.round(explanation.perturbed(index)).astype(np.uint8)
            assert np.abs(picture(figure, index).astype(int) - expected).max() <= 1

    def test_tells_answers_and_weights(self, explanation: Explanation) -> None:
        assert explanation.scores is not None
        assert explanation.neighborhood is not None
        found = titles(plot_samples(explanation, n=2))
        assert found[0] == "stop 0.900\nno entry 0.100\nunperturbed"
        stop, no_entry = explanation.scores.values[1]
        weight = explanation.neighborhood.weights[1]
        assert found[1] == f"stop {stop:.3f}\nno entry {no_entry:.3f}\nweight {weight:.2g}"

    @pytest.mark.parametrize("channels", [None, 1, 2, 3, 5])
    @pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
    def test_any_range_and_channels(self, channels: int | None, low: float, high: float) -> None:
        shape = (24, 32) if channels is None else (24, 32, channels)
        image = np.random.default_rng(1).uniform(low, high, size=shape).astype(np.float32)
        display = Display.of(image)
        explanation = explain(image)
        for index, ax in enumerate(plot_samples(explanation, n=4).axes):
            expected = display.picture(explanation.perturbed(index)) * 255
            assert np.abs(np.asarray(ax.images[0].get_array()) - expected).max() <= 1.01

    def test_display_fn_is_followed(self) -> None:
        mean = np.array([103.939, 116.779, 123.68], np.float32)

        def caffe(image: NDArray[np.float32]) -> NDArray[np.uint8]:
            return np.clip(np.round((image + mean)[..., ::-1]), 0, 255).astype(np.uint8)

        image = np.random.default_rng(2).uniform(5, 250, size=(24, 32, 3)).astype(np.float32) - mean
        settings = Settings(segmentation="grid", n_segments=12, num_samples=64, display_fn=caffe, baseline="grey")
        explanation = explain(image, settings=settings)
        for index, ax in enumerate(plot_samples(explanation, n=4).axes):
            shown = np.asarray(ax.images[0].get_array()).astype(int)
            assert np.abs(shown - caffe(explanation.perturbed(index))).max() <= 2

    def test_more_than_there_are(self, explanation: Explanation) -> None:
        assert len(plot_samples(explanation, n=1000).axes) == explanation.num_samples

    def test_without_perturbations(self, explanation: Explanation) -> None:
        for without in (
            replace(explanation, neighborhood=None),
            replace(explanation, baseline=None),
            replace(explanation, scores=None),
        ):
            with pytest.raises(ValueError, match=r"perturbations.*explain\(\)"):
                plot_samples(without)
        with pytest.raises(ValueError, match="`n` must be at least 1. Received: n=0"):
            plot_samples(explanation, n=0)


class TestFigures:
    @pytest.mark.parametrize("function", [plot, plot_segments, plot_samples])
    def test_notebooks_show_them(self, function: Any, explanation: Explanation) -> None:
        figure = function(explanation)
        assert isinstance(figure, Figure)
        png: bytes = figure._repr_png_()  # type: ignore[attr-defined]
        assert png == figure_png(figure)
        assert min(decoded(figure).shape[:2]) > 100

    def test_the_explanations_own_methods(self, explanation: Explanation) -> None:
        assert titles(explanation.plot()) == titles(plot(explanation))
        assert titles(explanation.plot_segments()) == titles(plot_segments(explanation))
        assert titles(explanation.plot_samples(3)) == titles(plot_samples(explanation, 3))
        assert explanation._repr_png_() == figure_png(plot(explanation))

    @pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28), (200, 20, 3), (20, 200, 3)])
    def test_any_shape(self, shape: tuple[int, ...]) -> None:
        explanation = explain(np.random.default_rng(3).random(shape, dtype=np.float32))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for function in (plot, plot_segments, plot_samples):
                assert decoded(function(explanation)).any()

    def test_the_users_settings_are_left_alone(self, explanation: Explanation) -> None:
        before = dict(mpl.rcParams)
        figure_png(plot(explanation))
        assert dict(mpl.rcParams) == before

    def test_pyplot_is_not_imported(self) -> None:
        code = "import keras_lime.plotting, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("backend", "shown"), [("webagg", 1), ("agg", 0), ("", 0)])
def test_scripts_show_figures_with_pyplot_where_there_are_windows(backend: str, shown: int) -> None:
    """pyplot knows the figure if it can show it; else nothing stays open, and pyplot is not even imported."""
    code = f"""
import sys
backend = {backend!r}
if backend:
    import matplotlib
    matplotlib.use(backend)
    import matplotlib.pyplot
import numpy as np
from tests.plotting.test_plotting import explain
from keras_lime.plotting import plot
before = "matplotlib.pyplot" in sys.modules
figure = plot(explain(np.random.default_rng(0).integers(0, 256, size=(24, 32, 3), dtype=np.uint8)))
assert ("matplotlib.pyplot" in sys.modules) == before
print(len(matplotlib.pyplot.get_fignums()) if before else 0, figure._repr_png_()[:4] == b"\\x89PNG")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(shown), "True"]
