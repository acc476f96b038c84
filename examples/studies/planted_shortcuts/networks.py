"""Three small architectures: plain convolutions, a residual network with slow batch normalisation, and a ViT."""

import keras
from keras import layers

__all__ = ["ARCHITECTURES", "build"]

ARCHITECTURES = ("plain", "residual", "ViT")


def build(architecture: str, side: int, n_classes: int) -> keras.Model:
    """A compiled network for images in 0..255.

    Args:
        architecture: one of `ARCHITECTURES`.
        side: height and width of its input.
        n_classes: k.
    """
    image = keras.Input((side, side, 3))
    values = layers.Rescaling(1 / 127.5, offset=-1)(image)
    features = {"plain": _plain, "residual": _residual, "ViT": _transformer}[architecture](values)
    model = keras.Model(image, layers.Dense(n_classes, activation="softmax")(features))
    rate = 1e-3 if architecture == "ViT" else 2e-3
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _plain(values: keras.KerasTensor) -> keras.KerasTensor:
    for filters in (16, 32, 48):
        values = layers.Conv2D(filters, 3, padding="same", activation="relu")(values)
        values = layers.MaxPooling2D()(values)
    return layers.Dense(48, activation="relu")(layers.Flatten()(values))


def _residual(values: keras.KerasTensor) -> keras.KerasTensor:
    for filters in (16, 32, 48):
        values = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(values)
        inner = layers.ReLU()(layers.BatchNormalization(momentum=0.99)(values))
        inner = layers.Conv2D(filters, 3, padding="same", use_bias=False)(inner)
        inner = layers.BatchNormalization(momentum=0.99)(inner)
        values = layers.ReLU()(layers.Add()([values, inner]))
    return layers.GlobalAveragePooling2D()(values)


def _transformer(values: keras.KerasTensor) -> keras.KerasTensor:
    tokens = layers.Conv2D(48, 6, strides=6)(values)
    count = tokens.shape[1] * tokens.shape[2]
    tokens = layers.Reshape((count, 48))(tokens)
    places = layers.Embedding(count, 48)(keras.ops.arange(count))
    tokens = tokens + places
    for _ in range(2):
        calm = layers.LayerNormalization()(tokens)
        tokens = tokens + layers.MultiHeadAttention(4, 12)(calm, calm)
        calm = layers.LayerNormalization()(tokens)
        tokens = tokens + layers.Dense(48)(layers.Dense(96, activation="gelu")(calm))
    return layers.GlobalAveragePooling1D()(layers.LayerNormalization()(tokens))
