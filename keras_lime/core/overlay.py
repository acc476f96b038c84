"""Weights + superpixels → pictures: which superpixels are shown, and in which colours. May import numpy and the core.

The page in TensorBoard draws by the same rules, pixel for pixel.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.segmentation import Segmentation

__all__ = [
    "FAINT",
    "GROUNDS",
    "OPACITY",
    "OUTLINED",
    "PALETTES",
    "Ground",
    "Palette",
    "image_and_mask",
    "overlay",
    "select_segments",
]

Palette = Literal["green-red", "blue-orange"]
Ground = Literal["grey", "picture", "none"]

PALETTES: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "green-red": ((0, 158, 60), (214, 39, 40)),
    "blue-orange": ((33, 102, 204), (230, 126, 0)),
}
"""Colours of superpixels for and against; the second pair is safe for colour-blind readers."""

FAINT = 0.35
"""Strength of a weight that its own error cannot tell from zero, as a share of what it would be drawn with."""

OPACITY = 0.9
"""Of the strongest superpixel, on a pale grey ground, where a seventh of the scale shows and a twentieth does not."""

OUTLINED = 5
"""So many of the strongest superpixels get a rim."""

GROUNDS: dict[str, str] = {
    "grey": "the picture in light grey, so that all colour is weight",
    "picture": "the picture in its own colours",
    "none": "no picture, the weights alone",
}
"""What the weights are drawn over, and in words."""

_SURE_RIMS, _RIM_FROM = 3, 0.1
"""So many rims are drawn however small the weight; further ones from this share of the scale on."""

_BLANK = 245
_REST = 128
_BORDER = 255


def select_segments(
    weights: NDArray[np.float64],
    *,
    positive: bool = True,
    negative: bool = True,
    num_features: int | None = None,
    min_weight: float = 0.0,
) -> NDArray[np.intp]:
    """The strongest superpixels, strongest first; equal weights by their index.

    Args:
        weights: array (n_segments,); NaN and zero are never selected.
        positive: take superpixels with a weight above zero.
        negative: take superpixels with a weight below zero.
        num_features: how many at most. Defaults to `None`, all.
        min_weight: smallest absolute weight.

    Returns:
        Indices of superpixels.
    """
    magnitude = np.abs(weights)
    allowed = ((weights > 0) & positive) | ((weights < 0) & negative)
    allowed &= magnitude >= min_weight
    order = np.argsort(-np.where(allowed, magnitude, 0.0), kind="stable")
    return order[: int(allowed.sum())][:num_features]


def overlay(
    picture: NDArray[np.uint8],
    segmentation: Segmentation,
    weights: NDArray[np.float64],
    selected: NDArray[np.intp],
    *,
    opacity: float = 0.7,
    scale: float | None = None,
    palette: Palette = "green-red",
    style: Literal["fill", "outline"] = "fill",
    ground: Ground = "picture",
    outlined: int = 0,
    boundaries: bool = False,
    hide_rest: bool = False,
    hatched: NDArray[np.bool_] | None = None,
    faint: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """Draws weights over a picture: the colour says for or against, its strength how much.

    Args:
        picture: uint8 array (h, w, 3).
        segmentation: superpixels of the picture.
        weights: array (n_segments,).
        selected: indices of the superpixels to colour.
        opacity: of the strongest superpixel, 0..1.
        scale: weight at which the colour is strongest. Defaults to `None`, the largest absolute weight.
        palette: a key of `PALETTES`.
        style: `"fill"` colours superpixels by strength, `"outline"` draws the rims of the selected ones.
        ground: what the weights are drawn over, a key of `GROUNDS`.
        outlined: how many of the first of `selected` get a rim in their colour; those that are faint get none, and
            behind the third those below a tenth of the scale.
        boundaries: draw the rims of all superpixels in white.
        hide_rest: paint superpixels that are not selected in grey.
        hatched: bool array (n_segments,): superpixels to draw light and dark stripes over, because nothing is known
            about them; their weights should be NaN. Defaults to `None`, none.
        faint: bool array (n_segments,): superpixels to draw with `FAINT` of their strength, because their weights may
            well be zero. Defaults to `None`, none.

    Returns:
        uint8 array (h, w, 3).
    """
    finite = np.abs(weights[np.isfinite(weights)])
    strongest = scale if scale is not None else finite.max(initial=0.0)
    supporting, opposing = np.array(PALETTES[palette], dtype=np.float64)
    chosen = np.zeros(len(weights), dtype=bool)
    chosen[selected] = True
    strength = np.zeros(len(weights))
    if style == "fill":
        strength[selected] = opacity * np.minimum(1.0, np.abs(weights[selected]) / (strongest if strongest > 0 else 1))
    share = np.ones(len(weights)) if faint is None else np.where(faint, FAINT, 1.0)
    strength *= share
    colour = np.where((weights > 0)[:, None], supporting, opposing)
    labels = segmentation.labels
    base = _ground(picture, ground)
    if hide_rest:
        base[~chosen[labels]] = _REST
    alpha = strength[labels][..., None]
    drawn = np.floor(base * (1 - alpha) + colour[labels] * alpha + 0.5)
    if hatched is not None and hatched.any():
        _hatch(drawn, hatched[labels])
    rim = segmentation.boundaries()
    rimmed = chosen.copy()
    if style == "fill":
        rimmed[:] = False
        first = selected[:outlined]
        rimmed[first] = np.abs(weights[first]) >= _RIM_FROM * (strongest if strongest > 0 else 1)
        rimmed[first[:_SURE_RIMS]] = True
        rimmed &= share == 1
    outline = rim & rimmed[labels]
    if boundaries:
        drawn[rim] = np.floor(0.5 * drawn[rim] + 0.5 * _BORDER + 0.5)
    alpha = share[labels][..., None]
    drawn[outline] = np.floor(drawn * (1 - alpha) + colour[labels] * alpha + 0.5)[outline]
    painted: NDArray[np.uint8] = drawn.astype(np.uint8)
    return painted


def _ground(picture: NDArray[np.uint8], ground: Ground) -> NDArray[np.float64]:
    """The picture that weights are drawn over, float64 (h, w, 3)."""
    if ground == "picture":
        return picture.astype(np.float64)
    if ground == "none":
        return np.full(picture.shape, float(_BLANK))
    # Whole numbers, which the page reckons in the same way. Pale, so that colour shows on dark pictures too.
    luminance = picture.astype(np.int64) @ (77, 150, 29) >> 8
    pale: NDArray[np.float64] = np.repeat((120 + (luminance * 135 >> 8))[..., None], 3, axis=-1).astype(np.float64)
    return pale


def _hatch(drawn: NDArray[np.float64], where: NDArray[np.bool_]) -> None:
    """Draws diagonal stripes, one half white and one half black, so that they show on any picture."""
    height, width = where.shape
    period = max(4, min(height, width) // 12)
    stripe = period // 4
    phase = np.add.outer(np.arange(height), np.arange(width)) % period
    for first, shade in ((0, 255), (stripe, 0)):
        inside = where & (phase >= first) & (phase < first + stripe)
        drawn[inside] = np.floor(0.5 * drawn[inside] + 0.5 * shade + 0.5)


def image_and_mask(
    image: NDArray[Any],
    segmentation: Segmentation,
    weights: NDArray[np.float64],
    *,
    positive_only: bool = True,
    negative_only: bool = False,
    hide_rest: bool = False,
    num_features: int = 5,
    min_weight: float = 0.0,
) -> tuple[NDArray[Any], NDArray[np.integer]]:
    """What `ImageExplanation.get_image_and_mask` of the `lime` package 0.2.0.1 returns, for the same arguments.

    With `positive_only` or `negative_only` the weight must be larger than `min_weight`; with neither, both kinds are
    taken among the `num_features` strongest, then the weak ones dropped, the mask holds −1 and 1, and superpixels are
    painted in channel 1 (for) or 0 (against) with the image's largest value.

    Args:
        image: array (h, w, c).
        segmentation: its superpixels.
        weights: array (n_segments,).
        positive_only: take superpixels for the target.
        negative_only: take superpixels against the target.
        hide_rest: replace the other superpixels by 0.
        num_features: how many superpixels at most.
        min_weight: smallest absolute weight.

    Returns:
        The image (h, w, c), float64 where `hide_rest`, and the mask (h, w).

    Raises:
        ValueError: if both `positive_only` and `negative_only` are set, or both kinds are to be painted on an image of
            one channel.
    """
    if positive_only and negative_only:
        raise ValueError("`positive_only` and `negative_only` cannot both be True. Set one, or none for both kinds.")
    labels = segmentation.labels
    shown: NDArray[Any] = np.zeros(image.shape) if hide_rest else image.copy()
    mask = np.zeros(labels.shape, labels.dtype)
    strongest = np.argsort(-np.abs(weights), kind="stable")
    if positive_only or negative_only:
        signed = weights if positive_only else -weights
        kept = [index for index in strongest if signed[index] > 0 and signed[index] > min_weight][:num_features]
        inside = np.isin(labels, kept)
        shown[inside] = image[inside]
        mask[inside] = 1
        return shown, mask
    if image.shape[-1] < 2:
        raise ValueError(
            "`positive_only=False` and `negative_only=False` paint in two colour channels. "
            f"Received: an image of shape {image.shape}. Set one of them, or use `overlay()`."
        )
    for index in strongest[:num_features]:
        if abs(weights[index]) < min_weight:
            continue
        inside = labels == index
        mask[inside] = -1 if weights[index] < 0 else 1
        shown[inside] = image[inside]
        shown[inside, 0 if weights[index] < 0 else 1] = image.max()
    return shown, mask
