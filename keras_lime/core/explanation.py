"""`Explanation`: what one image's surrogates say, with the ways to look at it, save it and load it.

May import numpy and the core; pictures with axes come from `keras_lime.plotting`, imported when one is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.drawing import Palette, image_and_mask, overlay, select_segments
from keras_lime.core.perturbation import Neighborhood
from keras_lime.core.plan import Plan, Scores, as_pixels
from keras_lime.core.segmentation import Segmentation
from keras_lime.core.surrogate import Fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Explanation"]


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """LIME's answer for one image: how much each superpixel speaks for or against each target.

    Attributes:
        image: the image as the model got it, (h, w) or (h, w, c).
        picture: uint8 array (h, w, 3), RGB for people.
        segmentation: the superpixels.
        fit: the surrogates: coef (n_targets, n_segments), intercept, r2, local_prediction (n_targets,).
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

    Example:
        >>> explanation = explain(model, image)
        >>> explanation.top_segments(3)
        [(17, 0.21), (18, 0.17), (4, -0.09)]
    """

    image: NDArray[Any]
    picture: NDArray[np.uint8]
    segmentation: Segmentation
    fit: Fit
    targets: tuple[int, ...]
    target_names: tuple[str, ...]
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

    @classmethod
    def assemble(
        cls,
        plan: Plan,
        scores: Scores,
        fit: Fit,
        *,
        settings: Mapping[str, Any],
        class_names: tuple[str, ...] | None = None,
        label: int | None = None,
        name: str | None = None,
        step: int | None = None,
        object_mask: NDArray[np.bool_] | None = None,
    ) -> "Explanation":
        """Puts together what was planned, what the model answered and what was fitted to it."""

        def named(index: int) -> str:
            return class_names[index] if class_names is not None and index < len(class_names) else f"class {index}"

        return cls(
            image=plan.image,
            picture=plan.picture,
            segmentation=plan.segmentation,
            fit=fit,
            targets=scores.targets,
            target_names=tuple(named(index) for index in scores.targets),
            prediction=scores.values[0].copy(),
            predicted=scores.predicted,
            predicted_name=None if scores.predicted is None else named(scores.predicted),
            predicted_value=scores.predicted_value,
            label=label,
            name=name,
            step=step,
            object_mask=object_mask,
            settings=settings,
            neighborhood=plan.neighborhood,
            baseline=plan.baseline,
            scores=scores,
        )

    def __repr__(self) -> str:
        parts = [
            f"{name} {value:.3f} (R² {r2:.2f})"
            for name, value, r2 in zip(self.target_names, self.prediction, self.fit.r2, strict=True)
        ]
        shape = "×".join(map(str, self.image.shape))
        title = f"{self.name}: " if self.name else ""
        return f"<Explanation {title}{shape}, {self.segmentation.n_segments} superpixels; {', '.join(parts)}>"

    def row(self, target: int | str | None = None) -> int:
        """Position of a target in `targets`, and so in the rows of `fit`.

        Args:
            target: output index or target name. Defaults to `None`, the first target.

        Raises:
            ValueError: if it was not explained.
        """
        if target is None:
            return 0
        known: tuple[Any, ...] = self.target_names if isinstance(target, str) else self.targets
        if target not in known:
            raise ValueError(
                f"`target` must be one that was explained: {dict(zip(self.targets, self.target_names, strict=True))}. "
                f"Received: {target!r}. Name it in `targets` when you explain."
            )
        return known.index(target)

    def weights(self, target: int | str | None = None) -> NDArray[np.float64]:
        """Weight of every superpixel for `target` (see `row`), float64 array (n_segments,)."""
        weights: NDArray[np.float64] = self.fit.coef[self.row(target)]
        return weights

    def heatmap(self, target: int | str | None = None) -> NDArray[np.float64]:
        """The weight of each pixel's superpixel, float64 array (h, w); positive speaks for `target` (see `row`)."""
        return self.weights(target)[self.segmentation.labels]

    def top_segments(self, n: int = 5, target: int | str | None = None) -> list[tuple[int, float]]:
        """The `n` superpixels with the largest absolute weights for `target`, as (index, weight), largest first."""
        weights = self.weights(target)
        return [(int(index), float(weights[index])) for index in select_segments(weights, num_features=n)]

    def overlay(
        self,
        target: int | str | None = None,
        *,
        positive: bool = True,
        negative: bool = True,
        num_features: int | None = None,
        min_weight: float = 0.0,
        opacity: float = 0.7,
        scale: float | None = None,
        palette: Palette = "green-red",
        style: Any = "fill",
        boundaries: bool = False,
        hide_rest: bool = False,
    ) -> NDArray[np.uint8]:
        """The picture with superpixels coloured: green for `target`, red against it, the stronger the weightier.

        Args:
            target: output index or name. Defaults to `None`, the first target.
            positive: colour superpixels that speak for the target.
            negative: colour superpixels that speak against it.
            num_features: how many superpixels at most, the strongest. Defaults to `None`, all.
            min_weight: smallest absolute weight.
            opacity: of the strongest superpixel, 0..1.
            scale: weight at which the colour is strongest; give one for pictures that are to be compared. Defaults to
                `None`, the largest absolute weight.
            palette: `"green-red"`, or `"blue-orange"`, which is safe for colour-blind readers.
            style: `"fill"` or `"outline"`.
            boundaries: draw the rims of all superpixels.
            hide_rest: paint superpixels that are not coloured in grey.

        Returns:
            uint8 array (h, w, 3).
        """
        weights = self.weights(target)
        selected = select_segments(
            weights, positive=positive, negative=negative, num_features=num_features, min_weight=min_weight
        )
        return overlay(
            self.picture,
            self.segmentation,
            weights,
            selected,
            opacity=opacity,
            scale=scale,
            palette=palette,
            style=style,
            boundaries=boundaries,
            hide_rest=hide_rest,
        )

    def get_image_and_mask(
        self,
        label: int | str,
        positive_only: bool = True,
        negative_only: bool = False,
        hide_rest: bool = False,
        num_features: int = 5,
        min_weight: float = 0.0,
    ) -> tuple[NDArray[Any], NDArray[np.integer]]:
        """Same arguments and result as in the `lime` package 0.2.0.1, for those who come from it.

        Args:
            label: the target, as index or name.
            positive_only: take superpixels for the target.
            negative_only: take superpixels against the target.
            hide_rest: replace the other superpixels by 0.
            num_features: how many superpixels at most.
            min_weight: smallest absolute weight.

        Returns:
            The image (h, w, c) and a mask (h, w) of 0, 1 and, where both kinds are taken, −1; ready for
            `skimage.segmentation.mark_boundaries`.

        Raises:
            ValueError: if `label` was not explained or the flags exclude each other.
        """
        return image_and_mask(
            self.image if self.image.ndim == 3 else self.image[..., None],
            self.segmentation,
            self.weights(label),
            positive_only=positive_only,
            negative_only=negative_only,
            hide_rest=hide_rest,
            num_features=num_features,
            min_weight=min_weight,
        )

    def perturbed(self, index: int) -> NDArray[np.float32]:
        """The image that the model saw for row `index` of the masks, float32 array shaped like `image`.

        Raises:
            ValueError: if the perturbations were not kept, as in explanations read back from a log.
        """
        if self.neighborhood is None or self.baseline is None:
            raise ValueError("This explanation was read from a log, which keeps no perturbations. Use `explain()`.")
        shown = self.neighborhood.masks[index][self.segmentation.labels][..., None]
        return np.where(shown, as_pixels(self.image), self.baseline).reshape(self.image.shape)

    def plot(self, *, palette: Palette = "green-red", scale: float | None = None, grey: bool = True) -> "Figure":
        """The picture and its explanation side by side, for every target, titled with the predicted class.

        Args:
            palette: `"green-red"`, or `"blue-orange"`, which is safe for colour-blind readers.
            scale: weight at which the colour is strongest. Defaults to `None`, the largest of the figure.
            grey: draw the weights on the picture without its own colours.

        Returns:
            A figure that notebooks show by themselves; `savefig(path)` writes it to a file.
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
        """Writes everything to one `.npz` file without pickle.

        Args:
            path: the file; `.npz` is added where it is missing.

        Returns:
            The path of the file.
        """
        from keras_lime.core.archive import write

        return write(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> "Explanation":
        """Reads what `save` wrote.

        Args:
            path: the `.npz` file.

        Returns:
            The `Explanation`.

        Raises:
            ValueError: if the file was written by a newer version or is no explanation.
        """
        from keras_lime.core.archive import read

        return read(Path(path))
