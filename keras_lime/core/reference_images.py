"""`ReferenceImages`: the baseline `"others"`, where hidden superpixels show what another image has in their place.

A mean colour still tells meadow from sky, and grey looks more like one class's scene (a street, say) than another's,
so that hiding the street changes nothing. What another image of the data set shows there is as likely as anything to
be seen there: the weights then compare an image with the others of its world, on average over images (the
interventional baseline of Janzing, Minorics & Blöbaum 2020). Single explanations grow noisier; the weights of a class
over many images do not lean to any scene. May import numpy and the core.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_lime.core.image import as_pixels, image_id

__all__ = ["ReferenceImages"]


class ReferenceImages:
    """A callable for the setting `baseline`: for each image another one of a fixed pool, chosen by its content.

    Args:
        pool: some dozens of images of the same data set as model input, (n, h, w) or (n, h, w, c), n ≥ 2, at random
            from all classes.
        seed: of the choice. Defaults to `0`.

    Raises:
        ValueError: if `pool` holds fewer than two different images.

    Example:
        >>> explain(model, image, baseline=ReferenceImages(x_train[:64]))
    """

    def __init__(self, pool: ArrayLike, seed: int = 0) -> None:
        images = np.asarray(pool)
        if images.ndim not in (3, 4) or len(images) < 2:
            raise ValueError(
                f"`pool` must be at least two images, (n, h, w) or (n, h, w, c). Received: shape={images.shape}."
            )
        self._pool = np.stack([as_pixels(image) for image in images])
        self._ids = [image_id(image) for image in self._pool]
        self._seed = seed
        if len(set(self._ids)) < 2:
            raise ValueError(f"`pool` must hold different images. Received: {len(images)} that are all the same.")

    def __call__(self, image: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float32]:
        """The image that is shown in place of hidden superpixels of `image` (h, w, c)."""
        del labels
        identity = image_id(image)
        first = int(np.random.default_rng([self._seed, int(identity, 16)]).integers(len(self._pool)))
        order = [(first + step) % len(self._pool) for step in range(len(self._pool))]
        return np.asarray(self._pool[next(index for index in order if self._ids[index] != identity)])
