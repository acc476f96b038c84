"""What hidden superpixels show: the registry of named baselines; and which superpixels a baseline leaves unjudged.

A new baseline is one more `register(NamedBaseline(...))`.

May import numpy, scikit-image and the core.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.filters import gaussian

from keras_lime.core.display import Display
from keras_lime.core.reference_images import ReferenceImages
from keras_lime.core.segmentation import Segmentation

__all__ = [
    "BASELINES",
    "BLIND_BELOW",
    "Baseline",
    "NamedBaseline",
    "ToFill",
    "baseline_help",
    "baseline_image",
    "baseline_label",
    "blind_segments",
    "from_several_images",
    "register",
]

Baseline = str | float | Sequence[float] | NDArray[Any] | Callable[[NDArray[np.float32], NDArray[np.int32]], Any]
"""A name in `BASELINES`, a number, one number per channel, an image, or a callable; see `Settings.baseline`."""

BLIND_BELOW = 2 / 255
"""Root mean square difference, as a share of the display range, below which hiding a superpixel changes nothing: two of
the 256 steps of an 8-bit picture."""


@dataclass(frozen=True, eq=False)
class ToFill:
    """What a baseline may look at.

    Attributes:
        image: float32 array (h, w, c), model input.
        segmentation: its superpixels.
        grey: float32 array (c,): the middle of the display range as model input.
        display: how images of this range are shown.
        rng: the only source of randomness.
    """

    image: NDArray[np.float32]
    segmentation: Segmentation
    grey: NDArray[np.float32]
    display: Display
    rng: np.random.Generator


@dataclass(frozen=True)
class NamedBaseline:
    """A baseline that settings call by its name.

    Attributes:
        name: the value of `Settings.baseline`.
        label: what hidden superpixels show, for readers of a report; completes "hidden superpixels show …".
        help: the same for those who choose, a few words.
        fill: gives an array that broadcasts to the image (h, w, c). None where several images are needed.
        from_images: images (n, h, w) or (n, h, w, c), n ≥ 2, and the seed → another `Baseline`. None where the image
            itself is enough.
        alone: what to pass for a single image in place of a baseline with `from_images`, as Python.
    """

    name: str
    label: str
    help: str
    fill: Callable[[ToFill], Any] | None = None
    from_images: Callable[[NDArray[Any], int], Baseline] | None = None
    alone: str = ""


BASELINES: dict[str, NamedBaseline] = {}
"""All of them by name. Messages, `--help` and the labels in reports are read from it."""


def register(baseline: NamedBaseline) -> None:
    """Adds a baseline under its name, or replaces the one of that name."""
    BASELINES[baseline.name] = baseline


register(
    NamedBaseline(
        "mean",
        label="their own mean colour",
        help="each superpixel's mean colour, as in LIME",
        fill=lambda given: given.segmentation.mean_colours(given.image)[given.segmentation.labels],
    )
)
register(
    NamedBaseline(
        "blur",
        label="the blurred image",
        help="the blurred image",
        fill=lambda given: gaussian(
            given.image, sigma=max(given.image.shape[:2]) / 16, channel_axis=-1, preserve_range=True
        ),
    )
)
register(NamedBaseline("grey", label="middle grey", help="middle grey", fill=lambda given: given.grey))
register(
    NamedBaseline(
        "noise",
        label="noise",
        help="random values",
        fill=lambda given: given.rng.uniform(given.display.low, given.display.high, given.image.shape),
    )
)
register(
    NamedBaseline(
        "dataset",
        label="the mean of all images",
        help="the mean of the images explained together",
        from_images=lambda images, _: images.mean(axis=0, dtype=np.float64),
        alone="x_train.mean(axis=0)",
    )
)
register(
    NamedBaseline(
        "others",
        label="other images of the data set",
        help="another one of the images explained together",
        from_images=ReferenceImages,
        alone="keras_lime.ReferenceImages(x_train[:64])",
    )
)


def baseline_help() -> str:
    """The names with a few words about each, on one line, for `--help`."""
    return "; ".join(f"{each.name}: {each.help}" for each in BASELINES.values())


def baseline_label(described: Any) -> str:
    """What hidden superpixels show, for readers of a report.

    Args:
        described: a baseline as `Settings.describe` gives it.

    Returns:
        The label of a named baseline; for others the description itself.
    """
    if isinstance(described, str) and described.rpartition(".")[2] in {"ReferenceImages", "OtherPictures"}:
        return BASELINES["others"].label
    known = BASELINES.get(described) if isinstance(described, str) else None
    return str(described) if known is None else known.label


def from_several_images(baseline: Any, images: NDArray[Any], seed: int) -> Any:
    """A baseline that is made of several images, made; any other as it is.

    Args:
        baseline: see `Settings.baseline`.
        images: array (n, h, w) or (n, h, w, c), n ≥ 2.
        seed: of the choice among them.

    Raises:
        ValueError: if the images do not do, such as images that are all the same for `"others"`.
    """
    known = BASELINES.get(baseline) if isinstance(baseline, str) else None
    return baseline if known is None or known.from_images is None else known.from_images(images, seed)


def baseline_image(baseline: Baseline, given: ToFill) -> NDArray[np.float32]:
    """What hidden superpixels show.

    Args:
        baseline: see `Settings.baseline`; one made of several images must have gone through `from_several_images`.
        given: the image and what belongs to it.

    Returns:
        float32 array of shape (h, w, c).

    Raises:
        ValueError: for an unknown name, a wrong shape or values that are not finite.
    """
    if isinstance(baseline, str):
        filled = np.broadcast_to(_named(baseline)(given), given.image.shape)
    else:
        filled = _own(given.image, given.segmentation, baseline)
    result = np.ascontiguousarray(filled, dtype=np.float32)
    if not np.isfinite(result).all():
        raise ValueError("`baseline` must be finite. Received: values that are NaN or infinite.")
    return result


def _named(name: str) -> Callable[[ToFill], Any]:
    known = BASELINES.get(name)
    if known is None:
        raise ValueError(
            f"`baseline` must be one of {', '.join(BASELINES)}, a colour, an image or a callable. "
            f"Received: baseline={name!r}."
        )
    if known.fill is None:
        raise ValueError(
            f'`baseline` must not be "{name}" for one image: it shows {known.label}. Explain several images together, '
            f"or pass baseline={known.alone}."
        )
    return known.fill


def blind_segments(
    image: NDArray[np.float32], baseline: NDArray[np.float32], segmentation: Segmentation, display: Display
) -> NDArray[np.bool_]:
    """Superpixels that look (nearly) the same hidden as shown, so that nothing can be learned about them.

    Their root mean square difference over pixels and channels is below `BLIND_BELOW` of the display range (with a
    `display_fn`: of the range that the images' values have). Source of the fault: Garreau & Mardaoui 2021, section 5.

    Args:
        image: float32 array (h, w, c), model input.
        baseline: float32 array (h, w, c), what hidden superpixels show.
        segmentation: the superpixels.
        display: gives the range.

    Returns:
        bool array (n_segments,).
    """
    squares = (image.astype(np.float64) - baseline) ** 2
    mean_squares = segmentation.mean_colours(squares).mean(axis=1)
    blind: NDArray[np.bool_] = np.sqrt(mean_squares) < BLIND_BELOW * (display.high - display.low)
    return blind


def _own(image: NDArray[np.float32], segmentation: Segmentation, baseline: Any) -> NDArray[Any]:
    filled = np.asarray(baseline(image, segmentation.labels) if callable(baseline) else baseline, dtype=np.float64)
    channels = image.shape[-1]
    if filled.shape == image.shape[:2] and channels == 1:
        filled = filled[..., None]
    if filled.shape not in {(), (channels,), image.shape}:
        raise ValueError(
            f"`baseline` must give a number, {channels} numbers (one per channel) or an image of shape {image.shape}. "
            f"Received: shape={filled.shape}."
        )
    return np.broadcast_to(filled, image.shape)
