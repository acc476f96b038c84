"""A folder of images by class → the chosen images, decoded. May import the core, `data` and `choice`."""

from collections.abc import Sequence
from pathlib import Path

from keras_lime.core.image import image_id
from keras_lime.data.image_files import SUFFIXES, ColorMode, decode, image_files
from keras_lime.exceptions import warn
from keras_lime.probes.choice import Candidate, seeded_key

__all__ = ["read_folders"]


def read_folders(
    path: Path, classes: Sequence[str], *, image_size: tuple[int, int], per_class: int, seed: int, color_mode: ColorMode
) -> list[tuple[str, Candidate]]:
    """Chooses images of every class by a seeded hash of their paths inside the folder, and decodes those alone.

    Args:
        path: the folder.
        classes: names of the subfolders, in the order of the class ids; they are searched to any depth.
        image_size: (height, width) in pixels.
        per_class: images of each class, fewer where it has no more.
        seed: orders the files.
        color_mode: see `decode`.

    Returns:
        Pairs of a path inside the folder, with slashes, and the image. A file that cannot be decoded, and a class
        without images, warns and is passed over; copies of an image count once.

    Raises:
        ValueError: if no image is left.
    """
    chosen: dict[str, tuple[str, Candidate]] = {}
    for label, name in enumerate(classes):
        files = sorted(image_files(path, name), key=lambda file: seeded_key(seed, file))
        before = len(chosen)
        for file in files:
            if len(chosen) - before == per_class:
                break
            try:
                image = decode(path / file, image_size, color_mode)
            except Exception as error:  # damaged files make Pillow raise half a dozen kinds of exceptions
                warn(f"{path / file} cannot be read and is passed over: {error}")
                continue
            content = image_id(image)
            chosen.setdefault(content, (file, Candidate(seeded_key(seed, file), content, image, label, None)))
        if len(chosen) == before:
            warn(f"{path / name} gives no probe: it holds no image of its own.")
    if not chosen:
        raise ValueError(
            f"`path` must hold images ({', '.join(SUFFIXES)}). Received: path={str(path)!r} with none that can be read."
        )
    return list(chosen.values())
