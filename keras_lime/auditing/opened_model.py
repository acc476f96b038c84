"""A model, and all that an audit asks of it, asked once. May import Keras, `data` and `scoring`."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from keras_lime.auditing.preprocessing import color_mode
from keras_lime.core.model_input import InputName, OtherInputs
from keras_lime.core.scores import Scorer
from keras_lime.core.settings import Settings
from keras_lime.data.models import input_shape, load_model, model_hash
from keras_lime.scoring import make_scorer
from keras_lime.scoring.engines import active_backend

__all__ = ["OpenedModel"]


@dataclass(frozen=True, eq=False)
class OpenedModel:
    """A model that is loaded.

    Attributes:
        model: the Keras model or plain function.
        name: its name, for people.
        sha256: of its layers and weights, or of where a function is defined.
        input_shape: shape of one image, sizes that are free as None; None where the model does not say.
    """

    model: Any
    name: str
    sha256: str
    input_shape: tuple[int | None, ...] | None

    @classmethod
    def open(cls, model: Any) -> "OpenedModel":
        """Opens a model, or the path of one.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it cannot be loaded.
        """
        if isinstance(model, str | os.PathLike):
            model = load_model(model)
        name = getattr(model, "name", None) or getattr(model, "__name__", type(model).__name__)
        return cls(model, str(name), model_hash(model), input_shape(model))

    @property
    def accelerators(self) -> int:
        """How many accelerators this process has, of which the model runs on one; 0 for a function or processors."""
        return active_backend().accelerators(self.model) if isinstance(self.model, keras.Model) else 0

    def scorer(
        self,
        image_shape: tuple[int, ...],
        settings: Settings,
        inputs: OtherInputs | None = None,
        image_input: InputName | None = None,
    ) -> Scorer:
        """What scores perturbations of images of a shape; see `keras_lime.scoring.make_scorer`."""
        return make_scorer(
            self.model,
            image_shape,
            settings.output,
            settings.head,
            settings.batch_size,
            inputs=inputs,
            image_input=image_input,
        )

    def file_shape(self, image_size: Sequence[int] | None = None) -> tuple[int, ...]:
        """The shape (h, w) or (h, w, c) to which image files are decoded; a plain function takes RGB.

        Args:
            image_size: (height, width), for models that take any. Defaults to `None`.

        Raises:
            ValueError: if the size is not known or not the model's, or it takes neither grey nor colour images.
        """
        expected = self.input_shape
        size = None if image_size is None else (int(image_size[0]), int(image_size[1]))
        if size is None:
            if expected is None or None in expected[:2]:
                raise ValueError(
                    "`image_size` must be given, (height, width): the model takes images of any size. Received: "
                    "image_size=None."
                )
            size = (int(expected[0] or 0), int(expected[1] or 0))
        elif expected is not None and any(e not in (None, s) for e, s in zip(expected[:2], size, strict=True)):
            raise ValueError(f"`image_size` must be {expected[:2]}, the model's own. Received: image_size={size}.")
        channels = (3,) if expected is None else expected[2:]
        shape = (*size, *(3 if each is None else int(each) for each in channels))
        color_mode(shape)
        return shape
