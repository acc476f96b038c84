"""Numbers that say how an image was taken and where, and nothing about its object. May import numpy and SciPy alone.

All of them are made of arrays (n, h, w, c) whose black is near 0 and whose white is near 1; `as_unit` gives these. They
are measured near the edge of the image, since a main object seldom reaches there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

__all__ = ["PROPERTIES", "SMALL_SIDE", "Property", "as_unit", "measure", "shrink"]

Floats = NDArray[np.float32]

SMALL_SIDE = 64
"""The shorter side of what the frame is measured on has between one and two times as many pixels."""

_NATIVE_SIDE = 512
"""At most so many pixels of each side are looked at for sharpness and compression."""

_FRAME = 0.1
"""Width of the frame, in sides of the image."""

_RIM = 0.15
"""Width of the rim, in sides of the image, on which sharpness and compression are measured: they take more pixels than
light does, and objects are smooth or rough by their nature."""

_LEAST = 0.002
"""Half a grey level: smaller differences are none."""


@dataclass(frozen=True)
class Property:
    """One way in which images may differ by class beside what they show.

    Attributes:
        name: short name, `"sharpness"`.
        subject: subject of a sentence with the verb "tell", such as `"Sharpness alone"`; with `verb`.
        verb: `"tells"` or `"tell"`.
        measure: unit-range images (n, h, w, c) → float array (n, d); None for what only files tell.
        scale: whether it is measured on the image as it is, on a small one, or on the file.
        remedy: what to do where it tells the class, in a sentence or two.
    """

    name: str
    subject: str
    verb: str
    measure: Callable[[Floats], NDArray[np.float64]] | None
    scale: Literal["native", "small", "file"]
    remedy: str


def as_unit(images: NDArray[Any], white: float) -> Floats:
    """Images (n, h, w) or (n, h, w, c) as float32 (n, h, w, c), divided by the value of white."""
    scaled: Floats = images.astype(np.float32) / np.float32(white)
    return scaled[..., None] if scaled.ndim == 3 else scaled


def shrink(images: Floats) -> Floats:
    """Means of square blocks, so that the shorter side has `SMALL_SIDE` pixels or little more."""
    n, height, width, channels = images.shape
    factor = min(height, width) // SMALL_SIDE
    if factor < 2:
        return images
    rows, columns = height // factor, width // factor
    cut = images[:, : rows * factor, : columns * factor]
    means: Floats = cut.reshape(n, rows, factor, columns, factor, channels).mean(axis=(2, 4))
    return means


def measure(images: Floats, names: tuple[str, ...] | None = None) -> dict[str, NDArray[np.float64]]:
    """Measures properties.

    Args:
        images: unit-range images (n, h, w, c) of one size.
        names: of the properties to measure. Defaults to `None`, all.

    Returns:
        By name a float array (n, d), always finite.
    """
    chosen = PROPERTIES if names is None else {name: PROPERTIES[name] for name in names}
    views = {"native": images[:, :_NATIVE_SIDE, :_NATIVE_SIDE], "small": shrink(images)}
    return {name: each.measure(views[each.scale]) for name, each in chosen.items() if each.measure is not None}


def _opponent(images: Floats) -> Floats:
    """Intensity and, of colour images, red against green and blue against yellow: (n, h, w, 1) or (n, h, w, 3)."""
    intensity: Floats = images[..., :3].mean(axis=-1, keepdims=True)
    if images.shape[-1] < 3:
        return intensity
    red, green, blue = images[..., 0:1], images[..., 1:2], images[..., 2:3]
    return np.concatenate([intensity, red - green, blue - (red + green) / 2], axis=-1)


def _sides(values: Floats) -> list[Floats]:
    """The four strips of the frame, each (n, ..., c)."""
    height, width = values.shape[1:3]
    rows, columns = max(1, round(_FRAME * height)), max(1, round(_FRAME * width))
    return [values[:, :rows], values[:, -rows:], values[:, :, :columns], values[:, :, -columns:]]


def _look(values: Floats) -> NDArray[np.float64]:
    """Colour and texture of one part of the image: means, deviations and the mean step between neighbours."""
    flat = values.reshape(len(values), -1, values.shape[-1])
    steps = [
        np.abs(np.diff(values[..., 0], axis=axis)).reshape(len(values), -1).sum(axis=1) / max(1, flat.shape[1])
        for axis in (1, 2)
    ]
    return np.concatenate([flat.mean(axis=1), flat.std(axis=1), np.log(np.stack(steps, 1) + _LEAST)], 1).astype(float)


def _frame(images: Floats) -> NDArray[np.float64]:
    return np.concatenate([_look(side) for side in _sides(_opponent(images))], axis=1)


def _frame_pixels(images: Floats) -> Floats:
    """All pixels of the frame, (n, pixels, c); those of the corners twice."""
    values = _opponent(images)
    return np.concatenate([side.reshape(len(side), -1, side.shape[-1]) for side in _sides(values)], axis=1)


def _brightness(images: Floats) -> NDArray[np.float64]:
    light = _frame_pixels(images)[..., 0]
    return np.stack([light.mean(axis=1), np.percentile(light, 90, axis=1)], axis=1).astype(float)


def _colour(images: Floats) -> NDArray[np.float64]:
    pixels = _frame_pixels(images)
    if pixels.shape[-1] < 3:
        return np.zeros((len(images), 1))
    # In relation to the light: a darker photograph of the same place has the same colour.
    tint = pixels[..., 1:].mean(axis=1) / (np.abs(pixels[..., :1]).mean(axis=1) + 0.05)
    vivid = np.abs(pixels[..., 1:]).mean(axis=(1, 2))[:, None]
    return np.concatenate([tint, vivid], axis=1).astype(float)


def _sharpness(images: Floats) -> NDArray[np.float64]:
    """How strong the finest details are, and those of two and four pixels: lost by blur, enlarging and denoising."""
    light = images[..., :3].mean(axis=-1)
    # In relation to the light, or a darker photograph would pass for a blurred one.
    light = light / (np.abs(light).mean(axis=(1, 2), keepdims=True) + np.float32(0.02))
    bends = [_median_bend(light)]
    for _ in range(2):
        height, width = (side // 2 for side in light.shape[1:])
        if min(height, width) < 4:
            break
        cut = light[:, : 2 * height, : 2 * width]
        light = cut.reshape(len(light), height, 2, width, 2).mean(axis=(2, 4))
        bends.append(_median_bend(light))
    logarithms: NDArray[np.float64] = np.log(np.stack(bends, axis=1))
    return logarithms


def _median_bend(light: Floats) -> NDArray[np.float64]:
    # The median is blind to the few pixels of edges, which tell of the object more than of the camera.
    bend = np.abs(convolve1d(light, (1, -2, 1), axis=1)) + np.abs(convolve1d(light, (1, -2, 1), axis=2))
    medians: NDArray[np.float64] = np.median(bend[:, _rim(bend.shape[1:])], axis=1).astype(float) + _LEAST
    return medians


def _rim(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """True on the rim, (h, w)."""
    height, width = shape
    down, across = max(1, round(_RIM * height)), max(1, round(_RIM * width))
    inside = np.ones(shape, bool)
    inside[down : height - down, across : width - across] = False
    return inside


def _compression(images: Floats) -> NDArray[np.float64]:
    """Steps across every eighth line in relation to the others: JPEG codes squares of 8 by 8 pixels."""
    light = images[..., :3].mean(axis=-1)
    columns = []
    for axis in (1, 2):
        steps = np.abs(np.diff(light, axis=axis))
        if steps.shape[axis] < 17:
            continue
        # Medians over pixels and lines: an edge of the scene lies on few of them, the squares' borders on all.
        wide = max(1, round(_RIM * steps.shape[3 - axis]))
        ends = np.r_[0:wide, -wide:0]
        lines = np.median(steps.take(ends, axis=3 - axis), axis=3 - axis)
        phases = np.stack([np.median(lines[:, phase::8], axis=1) for phase in range(8)], axis=1) + _LEAST
        columns.append(np.log(phases / np.median(phases, axis=1, keepdims=True)))
    if not columns:
        return np.zeros((len(images), 1))
    both = np.mean(columns, axis=0)
    # The squares of a file begin at its corner; those of a crop anywhere.
    return np.stack([both[:, 7], both.max(axis=1)], axis=1).astype(float)


PROPERTIES = {
    each.name: each
    for each in (
        Property(
            "frame",
            "The outer frame of the images",
            "tells",
            _frame,
            "small",
            "A model can learn the scene instead of the object. Give every class all scenes, crop to the object, or "
            "train with `keras_lime.SwapBackgrounds`.",
        ),
        Property(
            "brightness",
            "The light at the edge of the images",
            "tells",
            _brightness,
            "small",
            "Take all classes in the same light, or change brightness at random in training (`RandomBrightness`).",
        ),
        Property(
            "colour",
            "The colour at the edge of the images",
            "tells",
            _colour,
            "small",
            "Balance white alike for all classes, or change hue and saturation at random in training "
            "(`RandomColorJitter`).",
        ),
        Property(
            "sharpness",
            "The sharpness of the images",
            "tells",
            _sharpness,
            "native",
            "Take all classes with the same cameras and from originals of the same size, or blur at random in training "
            "(`RandomGaussianBlur`).",
        ),
        Property(
            "compression",
            "JPEG traces",
            "tell",
            _compression,
            "native",
            "Save all classes in the same format and quality; compressing all once more, at the lowest quality among "
            "them, does it.",
        ),
        Property(
            "size",
            "The size of the files' images in pixels",
            "tells",
            None,
            "file",
            "Images are resized for training, and the factor leaves traces. Bring the originals of all classes to one "
            "size first, starting from the smallest.",
        ),
        Property(
            "aspect",
            "The aspect ratio of the files' images",
            "tells",
            None,
            "file",
            "Resizing distorts one class more than another. Crop instead (`crop_to_aspect_ratio=True`).",
        ),
        Property(
            "format",
            "The files' format or JPEG quality",
            "tells",
            None,
            "file",
            "Save all classes in the same format and quality, the lowest among them.",
        ),
    )
}
"""What is measured, by name."""
