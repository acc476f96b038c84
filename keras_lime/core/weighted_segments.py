"""Superpixels and their weights for each target: by name, as a map, as a picture. May import numpy and the core."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.overlay import OPACITY, OUTLINED, Ground, Palette, image_and_mask, overlay, select_segments
from keras_lime.core.segmentation import Segmentation
from keras_lime.core.surrogate import Fit

__all__ = ["WeightedSegments"]


@dataclass(frozen=True, eq=False, repr=False)
class WeightedSegments:
    """The part of an `Explanation` that is drawn.

    Attributes:
        image: the image as the model got it, (h, w) or (h, w, c).
        picture: uint8 array (h, w, 3), RGB for people.
        segmentation: the superpixels.
        fit: the surrogates, coef (n_targets, n_segments).
        targets: the explained outputs, n_targets indices.
        target_names: their names.
    """

    image: NDArray[Any]
    picture: NDArray[np.uint8]
    segmentation: Segmentation
    fit: Fit
    targets: tuple[int, ...]
    target_names: tuple[str, ...]

    @property
    def blind(self) -> NDArray[np.bool_]:
        """Superpixels that cannot be judged, bool array (n_segments,); none where nothing is known about it."""
        return np.zeros(self.segmentation.n_segments, dtype=bool)

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

    def faint(self, target: int | str | None = None) -> NDArray[np.bool_]:
        """Superpixels whose weight for `target` is within two standard errors of zero, bool array (n_segments,)."""
        weights, errors = self.weights(target), self.fit.stderr
        if errors is None:
            return np.zeros(len(weights), dtype=bool)
        stderr = errors[self.row(target)]
        found: NDArray[np.bool_] = (np.abs(weights) <= 2 * stderr) & (stderr > 0)
        return found

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
        opacity: float = OPACITY,
        scale: float | None = None,
        palette: Palette = "green-red",
        style: Any = "fill",
        ground: Ground = "grey",
        outlined: int = OUTLINED,
        boundaries: bool = False,
        hide_rest: bool = False,
        mark_blind: bool = True,
        mark_faint: bool = True,
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
            ground: what the weights are drawn over: `"grey"`, the picture in light grey, so that all colour is weight;
                `"picture"`, in its own colours; `"none"`, the weights alone.
            outlined: how many of the strongest superpixels get a rim.
            boundaries: draw the rims of all superpixels.
            hide_rest: paint superpixels that are not coloured in grey.
            mark_blind: hatch superpixels that cannot be judged (`blind`) in place of colouring them.
            mark_faint: draw weights within two standard errors of zero (`faint`) with a third of their strength.

        Returns:
            uint8 array (h, w, 3).
        """
        weights = self.weights(target)
        if mark_blind:
            weights = np.where(self.blind, np.nan, weights)
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
            ground=ground,
            outlined=outlined,
            boundaries=boundaries,
            hide_rest=hide_rest,
            hatched=self.blind if mark_blind else None,
            faint=self.faint(target) if mark_faint else None,
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
