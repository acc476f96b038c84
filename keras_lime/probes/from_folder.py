"""A folder of images by class → the selected images, read. May import the core, `data` and `selection`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from keras_lime.data.image_files import SUFFIXES, ColorMode, decode, image_files
from keras_lime.data.mask_files import read_mask, stem
from keras_lime.data.resize import Resize
from keras_lime.exceptions import warn
from keras_lime.probes.identity import probe_id
from keras_lime.probes.selection import Candidate, seeded_key
from keras_lime.probes.sizes import Sizes

__all__ = ["FolderReader", "read_folders"]


@dataclass(frozen=True)
class FolderReader:
    """How the files of a folder are read.

    Attributes:
        path: the folder.
        image_size: (height, width) in pixels.
        color_mode: see `decode`.
        resize: see `decode`.
        crop_to_aspect_ratio: see `decode`.
        masks: mask files by the path of their image without its ending, or None. With them only images that have a mask
            are selected.
    """

    path: Path
    image_size: tuple[int, int]
    color_mode: ColorMode
    resize: Resize
    crop_to_aspect_ratio: bool
    masks: Mapping[str, Path] | None

    def files(self, classes: Sequence[str]) -> dict[int, list[str]]:
        """Paths inside the folder of all images of each class id.

        Raises:
            ValueError: if no image has a mask.
        """
        by_class = {label: image_files(self.path, name) for label, name in enumerate(classes)}
        masks = self.masks
        if masks is None:
            return by_class
        masked = {label: [file for file in files if stem(file) in masks] for label, files in by_class.items()}
        if not any(masked.values()):
            example = next((file for files in by_class.values() for file in files), None)
            raise ValueError(
                "`masks` must hold files with the paths of the images, whatever their endings. Received: a folder "
                f"without one for {example!r} or any other image."
            )
        return masked

    def readable(self, files: Sequence[str], label: int, seed: int) -> Iterator[tuple[str, Candidate]]:
        """The images of a class in their seeded order, read one by one; damaged files warn and are passed over."""
        for file in sorted(files, key=lambda file: seeded_key(seed, file)):
            mask = None
            try:
                image = decode(
                    self.path / file,
                    self.image_size,
                    self.color_mode,
                    resize=self.resize,
                    crop_to_aspect_ratio=self.crop_to_aspect_ratio,
                )
                if self.masks is not None:
                    file_of_mask = self.masks[stem(file)]
                    mask = read_mask(file_of_mask, self.image_size, crop_to_aspect_ratio=self.crop_to_aspect_ratio)
            except Exception as error:  # damaged files make Pillow raise half a dozen kinds of exceptions
                warn(f"{self.path / file} cannot be read and is passed over: {error}")
                continue
            yield file, Candidate(seeded_key(seed, file), probe_id(image, {}), image, label, mask)


def read_folders(
    reader: FolderReader, classes: Sequence[str], sizes: Sizes, *, seed: int
) -> tuple[list[tuple[str, Candidate]], list[tuple[str, Candidate]]]:
    """Selects images of every class by a seeded hash of their paths inside the folder, and reads those alone.

    Args:
        reader: how files are read.
        classes: names of the subfolders, in the order of the class ids; they are searched to any depth.
        sizes: how many images are taken.
        seed: orders the files.

    Returns:
        The explained images and the further ones for tests, each as pairs of a path inside the folder, with slashes,
        and the image, by class. A class without a readable image warns; copies of an image count once.

    Raises:
        ValueError: if no image is left.
    """
    images = {label: reader.readable(files, label, seed) for label, files in reader.files(classes).items()}
    explained: list[tuple[str, Candidate]] = []
    further: list[tuple[str, Candidate]] = []
    seen: set[str] = set()
    rank = 0
    # One image of every class, then a second one of every class, and so on: no class is read further than the others.
    while images:
        # In an order of its own in every round, so that few probes of many classes do not all go to the first classes.
        for label in sorted(images, key=lambda label: seeded_key(seed, f"{rank} {classes[label]}")):
            full = sizes.num_probes is not None and len(explained) == sizes.num_probes
            explains = not full and (sizes.per_class is None or rank < sizes.per_class)
            tests = len(explained) + len(further) < (sizes.num_tested or 0)
            if not explains and not tests:
                del images[label]
                continue
            found = next(((file, one) for file, one in images[label] if one.id not in seen), None)
            if found is not None:
                seen.add(found[1].id)
                (explained if explains else further).append(found)
                continue
            del images[label]
            if rank == 0:
                warn(f"{reader.path / classes[label]} gives no probe: it holds no image of its own that can be read.")
        rank += 1
    if not explained:
        raise ValueError(
            f"`path` must hold images ({', '.join(SUFFIXES)}). Received: path={str(reader.path)!r} with none that can "
            "be read."
        )
    return _by_class(explained), _by_class(further)


def _by_class(images: list[tuple[str, Candidate]]) -> list[tuple[str, Candidate]]:
    return sorted(images, key=lambda pair: (pair[1].label is None, pair[1].label, pair[1].key))
