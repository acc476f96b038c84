"""Objects on other backgrounds: a small pool of images with outlines → as many composites as a training wants.

A network that has learned "meadow means stop sign" meets stop signs before every scene, and nothing but the sign is
left to tell it by. The composites are those of Xiao et al. 2021, "Noise or Signal" (Mixed-Rand), with objects and
backgrounds drawn independently of each other and evenly over the classes. May import numpy, SciPy and `shortcut`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from keras_lime.shortcut.background import can_be_swapped, remove_objects

__all__ = ["Compositor", "check_classes", "make_compositor"]

_SOFTNESS = 1 / 96
"""Standard deviation of the blur of a mask's edge, as a share of the image's shorter side: a hard edge would be a new
mark of composites, by which a network could tell them from photographs."""

_LEAST_SOFTNESS = 0.6
"""Pixels."""

_SHIFT = 1 / 12
"""Objects move by up to this share of each side, so that no place is a mark of its own."""


_SMALLEST_WINDOW = 0.5
"""Of a background a window of this share of its sides and more is shown."""


@dataclass(frozen=True, eq=False)
class Compositor:
    """Objects and backgrounds, ready to be put together.

    Attributes:
        images: float32 array (n, h, w, c), the pool as model input.
        alphas: float32 array (n, h, w, 1), 1 on the object, 0 off it, soft at the edge.
        backgrounds: float32 array (n, h, w, c), the images with their objects taken out.
        labels: int64 array (n,), true classes.
        members: for each class that occurs the positions of its images.
    """

    images: NDArray[np.float32]
    alphas: NDArray[np.float32]
    backgrounds: NDArray[np.float32]
    labels: NDArray[np.int64]
    members: tuple[NDArray[np.intp], ...]

    def draw(self, count: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Draws composites.

        Args:
            count: how many.
            rng: decides objects, backgrounds and places.

        Returns:
            Composites, float32 array (count, h, w, c), and the classes of their objects, int64 array (count,).
        """
        objects, behind = self._draw_evenly(count, rng), self._draw_evenly(count, rng)
        height, width = self.images.shape[1:3]
        shifts = [rng.integers(-round(side * _SHIFT), round(side * _SHIFT) + 1, count) for side in (height, width)]
        mirrored = rng.random(count) < 0.5
        composites = np.empty((count, *self.images.shape[1:]), np.float32)
        for row, (index, scene) in enumerate(zip(objects, behind, strict=True)):
            # Only the scene is mirrored: a mirrored object can be of another class (an arrow, a letter).
            background = self.backgrounds[scene, :, ::-1] if mirrored[row] else self.backgrounds[scene]
            background = _zoomed(background, rng)
            alpha, image = (
                _shifted(array[index], int(shifts[0][row]), int(shifts[1][row])) for array in (self.alphas, self.images)
            )
            composites[row] = background + alpha * (image - background)
        return composites, self.labels[objects]

    def _draw_evenly(self, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """Positions of images: first a class, each as often as any other, then one of its images."""
        classes = rng.integers(len(self.members), size=count)
        return np.array([rng.choice(self.members[position]) for position in classes], np.intp)


def make_compositor(
    images: NDArray[np.generic], labels: NDArray[np.int64], masks: NDArray[np.bool_], *, n_classes: int | None = None
) -> Compositor:
    """Takes the objects out of their images and softens their edges.

    Args:
        images: array (n, h, w, c) or (n, h, w), as the model takes them.
        labels: int array (n,), true classes.
        masks: bool array (n, h, w), True on the object. Images whose mask covers nothing, or leaves no background, are
            passed over.
        n_classes: number of classes, each of which must occur. Defaults to `None`, two at least.

    Returns:
        The `Compositor`.

    Raises:
        ValueError: if no mask tells an object from a background, a class has no usable image, or a label is none.
    """
    usable = can_be_swapped(masks)
    if not usable.any():
        raise ValueError(
            "`pool` must hold images whose mask tells an object from a background. Received: masks that cover nothing, "
            "or (nearly) the whole image. Draw outlines or boxes around the objects."
        )
    check_classes(labels[usable], n_classes)
    found = sorted(set(labels[usable].tolist()))
    pixels = images[usable].astype(np.float32)
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    kept, chosen = masks[usable], labels[usable].astype(np.int64)
    sigma = max(_LEAST_SOFTNESS, _SOFTNESS * min(kept.shape[1:]))
    alphas = np.stack([gaussian_filter(mask.astype(np.float32), sigma) for mask in kept])[..., None]
    members = tuple(np.flatnonzero(chosen == label) for label in found)
    return Compositor(pixels, alphas, remove_objects(pixels, kept), chosen, members)


def check_classes(labels: NDArray[np.int64], n_classes: int | None = None) -> None:
    """Refuses a pool without images of some class.

    Args:
        labels: of its images with a usable mask.
        n_classes: number of classes, each of which must occur. Defaults to `None`, two at least.

    Raises:
        ValueError: if one does not occur, or a label is none.
    """
    found = set(labels.tolist())
    if n_classes is not None and max(found) >= n_classes:
        raise ValueError(
            f"`pool` must have labels below the number of classes. Received: label {max(found)} for a model of "
            f"{n_classes} classes."
        )
    missing = [] if n_classes is None else sorted(set(range(n_classes)) - found)
    if missing or len(found) < 2:
        shown = f"none of class {', '.join(map(str, missing[:10]))}" if missing else "images of one class alone"
        raise ValueError(
            f"`pool` must hold images with a usable mask of every class, or composites would teach that the others do "
            f"not exist. Received: {shown}. Add some of them."
        )


def _zoomed(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A random window of an image, enlarged to its size: a few scenes then look like many."""
    height, width = image.shape[:2]
    part = rng.uniform(_SMALLEST_WINDOW, 1)
    top, left = rng.uniform(0, 1 - part, 2)
    rows = ((top + part * (np.arange(height) + 0.5) / height) * height).astype(np.intp)
    columns = ((left + part * (np.arange(width) + 0.5) / width) * width).astype(np.intp)
    window: NDArray[np.float32] = image[rows[:, None], columns]
    return window


def _shifted(array: NDArray[np.float32], down: int, right: int) -> NDArray[np.float32]:
    """Moves an image (h, w, c); what comes in at the edge is 0, so that an alpha is transparent there."""
    height, width = array.shape[:2]
    moved = np.zeros_like(array)
    moved[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = array[
        max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)
    ]
    return moved
