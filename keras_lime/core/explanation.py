"""`Explanation`: what one image's surrogates say, with the ways to look at it, save it and load it.

May import numpy and the core; pictures with axes come from `keras_lime.plotting`, imported when one is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.archive import read, write
from keras_lime.core.class_names import class_title
from keras_lime.core.diagnostics import Diagnostic, DiagnosticBits, SegmentDiagnostic, put_in_words
from keras_lime.core.fidelity import Fidelity, measure_fidelity, rank_agreement
from keras_lime.core.image import as_pixels
from keras_lime.core.judgement import find_diagnostics
from keras_lime.core.kernel_path import KernelWidthPath, kernel_width_path
from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.overlay import Palette
from keras_lime.core.phrases import count_of
from keras_lime.core.plan import Plan
from keras_lime.core.scores import Scores
from keras_lime.core.surrogate import Fit
from keras_lime.core.weighted_segments import WeightedSegments

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Explanation"]


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(WeightedSegments):
    """LIME's answer for one image: how much each superpixel speaks for or against each target.

    Attributes:
        image: the image as the model got it, (h, w) or (h, w, c).
        picture: uint8 array (h, w, 3), RGB for people.
        segmentation: the superpixels.
        fit: the surrogates: coef (n_targets, n_segments), intercept, r2, local_prediction (n_targets,); of the
            log-odds where `scale="logit"` was set.
        targets: the explained outputs, n_targets indices.
        target_names: their names.
        prediction: float64 array (n_targets,): the model's probabilities (regression: outputs) for the image.
        predicted: index of the most probable output; None for regression.
        predicted_name: its name, or None.
        predicted_value: its probability; for regression the first target's value.
        label: true label, where known.
        name: the probe's name, where it has one.
        step: the epoch, where there was one.
        object_mask: bool array (h, w), True on the object, where known.
        settings: the explainer's settings as JSON values.
        neighborhood: the perturbations; None where only their result was kept.
        baseline: float32 array (h, w, c), what hidden superpixels showed; None likewise.
        scores: the model's answers to the perturbations; None likewise.
        second: the surrogates of `second_baseline`, or None.
        diagnostic_bits: what is doubtful about weights and targets, which `diagnostics` puts in words; None if unknown.

    Example:
        >>> explanation = explain(model, image)
        >>> explanation.top_segments(3)
        [(17, 0.21), (18, 0.17), (4, -0.09)]
    """

    prediction: NDArray[np.float64]
    predicted: int | None
    predicted_name: str | None
    predicted_value: float
    label: int | None = None
    name: str | None = None
    step: int | None = None
    object_mask: NDArray[np.bool_] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    neighborhood: Neighborhood | None = None
    baseline: NDArray[np.float32] | None = None
    scores: Scores | None = None
    second: Fit | None = None
    diagnostic_bits: DiagnosticBits | None = None

    @classmethod
    def assemble(
        cls,
        plan: Plan,
        scores: Scores,
        fit: Fit,
        *,
        settings: Mapping[str, Any],
        second: Fit | None = None,
        class_names: tuple[str, ...] | None = None,
        label: int | None = None,
        name: str | None = None,
        step: int | None = None,
        object_mask: NDArray[np.bool_] | None = None,
    ) -> "Explanation":
        """Puts together what was planned, what the model answered and what was fitted to it, and judges it."""
        return cls(
            image=plan.image,
            picture=plan.picture,
            segmentation=plan.segmentation,
            fit=fit,
            targets=scores.targets,
            target_names=tuple(
                class_title(index, class_names, "output" if scores.predicted is None else "class")
                for index in scores.targets
            ),
            prediction=scores.values[0].copy(),
            predicted=scores.predicted,
            predicted_name=None if scores.predicted is None else class_title(scores.predicted, class_names),
            predicted_value=scores.predicted_value,
            label=label,
            name=name,
            step=step,
            object_mask=object_mask,
            settings=settings,
            neighborhood=plan.neighborhood,
            baseline=plan.baseline,
            scores=scores,
            second=second,
            diagnostic_bits=find_diagnostics(plan, scores, fit, second, settings),
        )

    def __repr__(self) -> str:
        parts = [
            f"{name} {value:.3f} (R² {r2:.2f})"
            for name, value, r2 in zip(self.target_names, self.prediction, self.r2, strict=True)
        ]
        shape = "×".join(map(str, self.image.shape))
        title = f"{self.name}: " if self.name else ""
        found = len(self.diagnostics)
        notes = f"; {count_of(found, 'diagnostic')}" if found else ""
        return f"<Explanation {title}{shape}, {self.segmentation.n_segments} superpixels; {', '.join(parts)}{notes}>"

    @property
    def num_samples(self) -> int | None:
        """Perturbations that were scored, the image itself included; None where only their result was kept."""
        if self.scores is not None and self.scores.asked is not None:
            return int(np.count_nonzero(self.scores.asked))
        return None if self.neighborhood is None else len(self.neighborhood.masks)

    @property
    def r2(self) -> NDArray[np.float64]:
        """How well the surrogates describe the model, float64 array (n_targets,), at most 1.

        Adjusted for what fitting many weights to few samples gains by chance, where that can be known; `fit.r2` is the
        R² of the `lime` package, which is not adjusted. NaN where the scores do not move.
        """
        return self.fit.r2 if self.fit.r2_adjusted is None else self.fit.r2_adjusted

    @property
    def fidelity(self) -> Fidelity:
        """R², effective samples and samples per superpixel.

        Raises:
            ValueError: if the perturbations were not kept, as in explanations read back from a log.
        """
        return measure_fidelity(self._kept()[0], self.fit.r2)

    @property
    def blind(self) -> NDArray[np.bool_]:
        """Superpixels that look the same hidden as shown, so that they cannot be judged, bool array (n_segments,)."""
        if self.diagnostic_bits is None:
            return super().blind
        return np.asarray(self.diagnostic_bits.where(SegmentDiagnostic.BLIND).any(axis=0))

    @property
    def agreement(self) -> NDArray[np.float64] | None:
        """Spearman's rank correlation of the weights with those of `second_baseline`, (n_targets,), or None."""
        return None if self.second is None else rank_agreement(self.fit.coef, self.second.coef)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What to know before reading this explanation; empty if nothing is wrong.

        Each has a `code`, a `sentence`, a `remedy` and, where it holds for one target alone, that `target`; `str()` of
        it gives all of them as text.
        """
        if self.diagnostic_bits is None:
            return ()
        return put_in_words(
            self.diagnostic_bits,
            self.target_names,
            r2=self.r2,
            prediction=self.prediction,
            agreement=self.agreement,
            error=self.fit.relative_error,
            fidelity=None if self.neighborhood is None else self.fidelity,
        )

    def kernel_width_path(self, widths: Sequence[float] | None = None) -> KernelWidthPath:
        """The weights that other kernel widths would have given, refitted from the scores that are there.

        A `proxy` takes no part in them.

        Args:
            widths: kernel widths, each > 0. Defaults to `None`: five, from half of the own one to 8 times it.

        Returns:
            A `KernelWidthPath`, with the superpixels whose sign depends on the kernel width, and a plot.

        Raises:
            ValueError: if a width is not positive, the perturbations were not kept, or the surrogate is neither ridge
                regression nor least squares.
        """
        neighborhood, _, scores = self._kept()
        return kernel_width_path(
            neighborhood,
            scores.log_odds if self.settings.get("scale") == "logit" else scores.values,
            self.fit.alpha,
            own=float(self.settings.get("kernel_width", 0.25)),
            widths=widths,
            target_names=self.target_names,
        )

    def perturbed(self, index: int) -> NDArray[np.float32]:
        """The image that the model saw for row `index` of the masks, float32 array shaped like `image`.

        Raises:
            ValueError: if the perturbations were not kept, as in explanations read back from a log.
        """
        neighborhood, baseline, _ = self._kept()
        shown = neighborhood.masks[index][self.segmentation.labels][..., None]
        return np.where(shown, as_pixels(self.image), baseline).reshape(self.image.shape)

    def _kept(self) -> tuple[Neighborhood, NDArray[np.float32], Scores]:
        if self.neighborhood is None or self.baseline is None or self.scores is None:
            raise ValueError("This explanation was read from a log, which keeps no perturbations. Use `explain()`.")
        return self.neighborhood, self.baseline, self.scores

    def plot(self, *, palette: Palette = "green-red", scale: float | None = None, grey: bool = True) -> "Figure":
        """The picture and its explanation side by side, for every target, titled with the predicted class.

        Args:
            palette: `"green-red"`, or `"blue-orange"`, which is safe for colour-blind readers.
            scale: weight at which the colour is strongest. Defaults to `None`, the largest of the figure.
            grey: draw the weights on the picture without its own colours.

        Returns:
            A figure that notebooks show by themselves and scripts with `matplotlib.pyplot.show()`; `savefig(path)`
            writes it to a file.
        """
        from keras_lime.plotting import plot

        return plot(self, palette=palette, scale=scale, grey=grey)

    def plot_segments(self) -> "Figure":
        """The superpixels with their numbers."""
        from keras_lime.plotting import plot_segments

        return plot_segments(self)

    def plot_samples(self, n: int = 8) -> "Figure":
        """The first `n` perturbed images, what the model really saw, with its answers."""
        from keras_lime.plotting import plot_samples

        return plot_samples(self, n)

    def _repr_png_(self) -> bytes:
        from keras_lime.plotting import figure_png, plot

        return figure_png(plot(self))

    def save(self, path: str | Path) -> Path:
        """Writes everything to one `.npz` file without pickle, whole or not at all.

        Args:
            path: the file; `.npz` is added where it is missing.

        Returns:
            The path of the file.
        """
        return write(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> "Explanation":
        """Reads what `save` wrote.

        Args:
            path: the `.npz` file.

        Returns:
            The `Explanation`.

        Raises:
            ValueError: if the file is no explanation, damaged, or written by a newer version; the message names it.
            OSError: if it cannot be read.
        """
        return cls(**read(Path(path)))
