"""Everything about an image that does not depend on the model, made once: `make_plan` gives a frozen `Plan`.

May import numpy and the core.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.baseline import Baseline, ToFill, baseline_image, blind_segments, from_several_images
from keras_lime.core.display import Display
from keras_lime.core.image import as_pixels, image_id
from keras_lime.core.model_input import OtherInputs, inputs_of
from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.parallel import map_all
from keras_lime.core.phrases import count_of
from keras_lime.core.sampling import block_size, enumerated_in_blocks, pool_size, sample_neighborhood
from keras_lime.core.segmentation import Segmentation, cut
from keras_lime.core.settings import Settings
from keras_lime.exceptions import warn

__all__ = ["Plan", "longer", "make_plan", "make_plans", "with_images"]

_MOST_BLIND = 0.5
"""Share of superpixels that cannot be judged, above which a warning is given."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is perturbed, how, and what hidden superpixels show, for one image.

    Attributes:
        image: the image as given, (h, w) or (h, w, c), any real dtype.
        picture: uint8 array (h, w, 3), RGB for people.
        segmentation: its superpixels.
        neighborhood: its perturbations; for `num_samples="auto"` as many as there may be at most.
        baseline: float32 array (h, w, c), what hidden superpixels show; c is 1 for an image (h, w).
        blind: bool array (n_segments,), True where the baseline is (nearly) the same as the image; None if unknown.
        second_baseline: float32 array (h, w, c), what they show when scored once more; None for once only.
        inputs: what the model takes beside the image, by name; it stays as it is. Defaults to nothing.
        pool: more perturbations, of which `neighborhood` is the first, with answers that a proxy estimates; None for
            no proxy, and where few superpixels leave no more perturbations.
    """

    image: NDArray[Any]
    picture: NDArray[np.uint8]
    segmentation: Segmentation
    neighborhood: Neighborhood
    baseline: NDArray[np.float32]
    blind: NDArray[np.bool_] | None = None
    second_baseline: NDArray[np.float32] | None = None
    inputs: OtherInputs = field(default_factory=dict)
    pool: Neighborhood | None = None

    @property
    def pixels(self) -> NDArray[np.float32]:
        """The image as the model gets it, float32 (h, w, c); c is 1 for an image (h, w)."""
        return as_pixels(self.image)

    def kept(self) -> "Plan":
        """The same, for several epochs: see `Neighborhood.kept`."""
        return replace(self, neighborhood=self.neighborhood.kept())


def make_plan(image: NDArray[Any], settings: Settings, display: Display, segmentation: Segmentation) -> Plan:
    """Samples and fills once.

    The random numbers depend on `settings.seed` and on the image's content alone: the same image has the same masks in
    every run, process and position in a batch.

    Args:
        image: checked image, (h, w) or (h, w, c).
        settings: the explainer's settings.
        display: how images of this range are shown.
        segmentation: its superpixels.

    Returns:
        The `Plan`.

    Raises:
        ValueError: if `num_samples` (for `"auto"`, `max_samples`) is smaller than the number of superpixels, or a
            baseline of the user's own does not fit the image.
    """
    name = "max_samples" if settings.num_samples == "auto" else "num_samples"
    if settings.most_samples < segmentation.n_segments:
        raise ValueError(
            f"`{name}` must be at least the number of superpixels, or the surrogate cannot be fitted. "
            f"Received: {name}={settings.most_samples} for {segmentation.n_segments} superpixels. "
            f"Raise `{name}` or lower `n_segments`."
        )
    entropy = _entropy(image, settings)
    neighborhood, pool = _with_pool(image, segmentation, settings)
    pixels, grey = as_pixels(image), display.grey(image)

    def filled(baseline: Baseline, stream: int) -> NDArray[np.float32]:
        # Streams of their own: another baseline leaves the masks as they were.
        noise = np.random.default_rng([*entropy, stream])
        return baseline_image(baseline, ToFill(pixels, segmentation, grey, display, noise))

    hidden = filled(settings.baseline, 1)
    return Plan(
        image,
        np.round(display.picture(image) * 255).astype(np.uint8),
        segmentation,
        neighborhood,
        hidden,
        blind=blind_segments(pixels, hidden, segmentation, display),
        second_baseline=None if settings.second_baseline is None else filled(settings.second_baseline, 2),
        pool=pool,
    )


def longer(plan: Plan, settings: Settings, num_samples: int) -> Plan:
    """The plan with more perturbations, of which its own are the first, but for few superpixels: see the sampling."""
    return replace(plan, neighborhood=_sampled(plan.image, plan.segmentation, settings, num_samples))


def _entropy(image: NDArray[Any], settings: Settings) -> list[int]:
    return [settings.seed, int(image_id(image), 16)]


def _with_pool(
    image: NDArray[Any], segmentation: Segmentation, settings: Settings
) -> tuple[Neighborhood, Neighborhood | None]:
    """The perturbations, and those that a proxy needs beside them: see `Plan.pool`."""
    if settings.proxy != "none":
        pool = _sampled(image, segmentation, settings, pool_size(settings.most_samples))
        if not pool.enumerated:
            return pool.rows(0, settings.most_samples), pool
    return _sampled(image, segmentation, settings, settings.most_samples), None


def _sampled(image: NDArray[Any], segmentation: Segmentation, settings: Settings, num_samples: int) -> Neighborhood:
    rng, n_segments, neighbours = (
        np.random.default_rng(_entropy(image, settings)),
        segmentation.n_segments,
        segmentation.neighbours(),
    )
    in_blocks = settings.num_samples == "auto" and settings.sampling == "balanced"
    if in_blocks and block_size(n_segments) < 2**n_segments <= num_samples:
        return enumerated_in_blocks(n_segments, num_samples, settings.kernel_width, rng, neighbours)
    return sample_neighborhood(n_segments, num_samples, settings.kernel_width, rng, settings.sampling, neighbours)


def make_plans(images: Sequence[NDArray[Any]], settings: Settings, inputs: OtherInputs | None = None) -> list[Plan]:
    """Plans images of one shape together, so that all are shown in the same range of values.

    Superpixels are found in threads where that takes longer than a second, but for a function of the user's own.

    Args:
        images: checked images.
        settings: the explainer's settings; ready label maps may be (n, h, w), one per image.
        inputs: what the model takes beside each image, arrays (n, ...) by name. Defaults to `None`, nothing.

    Returns:
        One `Plan` per image.
    """
    stack = np.stack(images)
    display = Display.of(stack, settings.display_fn)
    if len(images) > 1:
        settings = with_images(settings, stack)
    maps = settings.segmentation
    if isinstance(maps, np.ndarray) and maps.ndim == 3 and len(maps) == len(images):
        per_image = [replace(settings, segmentation=labels) for labels in maps]
    else:
        per_image = [settings] * len(images)
    cuts = map_all(
        lambda index: cut(display.picture(images[index]), per_image[index].segmentation, settings.n_segments),
        range(len(images)),
        thread_safe=isinstance(maps, str) and settings.display_fn is None,
    )
    for remark in dict.fromkeys(remark for _, remarks in cuts for remark in remarks):
        warn(remark)
    plans = [
        make_plan(image, image_settings, display, segmentation)
        for image, image_settings, (segmentation, _) in zip(images, per_image, cuts, strict=True)
    ]
    _warn_if_blind(plans, settings)
    return [replace(plan, inputs=inputs_of(inputs or {}, position)) for position, plan in enumerate(plans)]


def _warn_if_blind(plans: Sequence[Plan], settings: Settings) -> None:
    """Says at the start that the baseline leaves most superpixels unjudged, and names one that does not."""
    blind = np.concatenate([plan.blind for plan in plans if plan.blind is not None] or [np.zeros(1, bool)])
    if blind.mean() <= _MOST_BLIND:
        return
    name = settings.baseline if isinstance(settings.baseline, str) else None
    other = "noise" if name == "grey" else "grey"
    warn(
        f"{int(blind.sum())} of {count_of(len(blind), 'superpixel')} look the same hidden as shown, so nothing can be "
        f'learned about them{"" if name is None else f" with baseline={name!r}"}. Pass baseline="{other}".'
    )


def with_images(settings: Settings, images: NDArray[Any]) -> Settings:
    """The settings with the baselines that are made of several images, such as `"dataset"` and `"others"`, made.

    Args:
        settings: the explainer's settings.
        images: array (n, h, w) or (n, h, w, c), n ≥ 2.

    Raises:
        ValueError: if all images are the same, for `"others"`.
    """
    return replace(
        settings,
        baseline=from_several_images(settings.baseline, images, settings.seed),
        second_baseline=from_several_images(settings.second_baseline, images, settings.seed),
    )
