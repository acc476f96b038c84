"""Public training scripts, as published but for their data: what is explained is what `predict` gives.

After each the examples of keras.io: `vision/mnist_convnet`, `guides/transfer_learning`, `vision/image_classification_
with_vision_transformer`, `PyDataset` of `keras.utils`, `guides/custom_train_step`, `vision/knowledge_distillation`,
several inputs of `guides/functional_api`, KerasHub's `ImageClassifier`, k-fold validation, augmentation in the model.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from keras_lime import LimeCallback, ProbeSet
from tests.support.predictors import hub_classifier
from tests.support.several_inputs import metadata

SHAPE = (16, 16, 3)
N = 24


def photographs(shape: tuple[int, ...] = SHAPE, high: float = 255) -> tuple[Any, Any]:
    """Squares bright on one side, and which side that is."""
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 2
    images = rng.uniform(0, 0.4, (N, *shape))
    for image, label in zip(images, labels, strict=True):
        image[:, label * shape[1] // 2 :][:, : shape[1] // 2] += 0.5
    return (images * high).astype(np.float32), labels


@pytest.fixture
def lime(tmp_path: Path) -> Iterator[Any]:
    """Makes the callback of a training; all defaults but for the size of the work."""
    made: list[LimeCallback] = []

    def make(probes: ProbeSet, **more: Any) -> LimeCallback:
        small: Any = {"num_samples": 64, "segmentation": "grid", "n_segments": 16, "verbose": 0}
        made.append(LimeCallback(probes, tmp_path / str(len(made)), on_error="raise", **small, **more))
        return made[-1]

    yield make
    for callback in made:
        callback.close()


def assert_explains(callback: LimeCallback, model: Any, expected: Any) -> None:
    """The explanations of a trained model are of the probabilities that its `predict` gives."""
    found = callback.explain(model, 1)
    np.testing.assert_allclose([each.predicted_value for each in found], expected.max(axis=1), atol=5e-5)
    assert [each.predicted for each in found] == expected.argmax(axis=1).tolist()


def predict(model: Any, probes: ProbeSet) -> Any:
    return model.predict(probes.images, verbose=0)


def test_sequential_digits(lime: Any) -> None:
    images, labels = photographs((14, 14, 1), high=1)
    model = keras.Sequential(
        [
            keras.Input(shape=(14, 14, 1)),
            layers.Conv2D(8, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    probes = ProbeSet(images[:4], labels[:4])
    callback = lime(probes)
    one_hot = keras.utils.to_categorical(labels, 2)
    model.fit(images, one_hot, batch_size=12, epochs=1, validation_split=0.25, verbose=0, callbacks=[callback])
    assert_explains(callback, model, predict(model, probes))


def test_transfer_learning_with_attached_preprocessing(lime: Any) -> None:
    images, labels = photographs()
    base_model = keras.Sequential([keras.Input(SHAPE), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU()])
    base_model.trainable = False
    inputs = keras.Input(shape=SHAPE)
    x = layers.Rescaling(scale=1 / 127.5, offset=-1)(inputs)
    x = base_model(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.2)(x)
    outputs = layers.Dense(1)(x)
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer=keras.optimizers.Adam(),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy()],
    )
    probes = ProbeSet(images[:4], labels[:4], class_names=["left", "right"])
    callback = lime(probes)
    model.fit(images, labels, epochs=1, verbose=0, callbacks=[callback])
    base_model.trainable = True
    model.compile(optimizer=keras.optimizers.Adam(1e-5), loss=keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(images, labels, epochs=1, verbose=0, callbacks=[callback])
    chance = 1 / (1 + np.exp(-predict(model, probes)))
    assert_explains(callback, model, np.concatenate([1 - chance, chance], axis=1))


class Patches(layers.Layer):
    """Cuts images in patches."""

    def __init__(self, patch_size: int) -> None:
        super().__init__()
        self.patch_size = patch_size

    def call(self, images: Any) -> Any:
        patches = keras.ops.image.extract_patches(images, size=self.patch_size)
        shape = keras.ops.shape(patches)
        return keras.ops.reshape(patches, (shape[0], shape[1] * shape[2], shape[3]))


class PatchEncoder(layers.Layer):
    """Projects patches and adds where they are."""

    def __init__(self, num_patches: int, projection_dim: int) -> None:
        super().__init__()
        self.num_patches = num_patches
        self.projection = layers.Dense(units=projection_dim)
        self.position_embedding = layers.Embedding(input_dim=num_patches, output_dim=projection_dim)

    def call(self, patch: Any) -> Any:
        positions = keras.ops.expand_dims(keras.ops.arange(start=0, stop=self.num_patches, step=1), axis=0)
        return self.projection(patch) + self.position_embedding(positions)


def test_vision_transformer(lime: Any) -> None:
    images, labels = photographs()
    inputs = keras.Input(shape=SHAPE)
    augmented = keras.Sequential([layers.Rescaling(1 / 255), layers.RandomFlip("vertical")])(inputs)
    encoded = PatchEncoder(16, 8)(Patches(4)(augmented))
    x1 = layers.LayerNormalization(epsilon=1e-6)(encoded)
    attention_output = layers.MultiHeadAttention(num_heads=2, key_dim=4, dropout=0.1)(x1, x1)
    encoded = layers.Add()([attention_output, encoded])
    representation = layers.Flatten()(layers.LayerNormalization(epsilon=1e-6)(encoded))
    logits = layers.Dense(2)(layers.Dropout(0.5)(representation))
    model = keras.Model(inputs=inputs, outputs=logits)
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate=0.001, weight_decay=0.0001),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    probes = ProbeSet(images[:4], labels[:4])
    callback = lime(probes)
    model.fit(images, labels, batch_size=12, epochs=1, verbose=0, callbacks=[callback])
    assert_explains(callback, model, keras.ops.convert_to_numpy(keras.ops.softmax(predict(model, probes))))


class Batches(keras.utils.PyDataset):
    """Reads batches by index, as one does from files."""

    def __init__(self, images: Any, labels: Any, batch_size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.images, self.labels, self.batch_size = images, labels, batch_size

    def __len__(self) -> int:
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.images[part] / 255, self.labels[part]


def small_convnet(last: str | None = "softmax") -> Any:
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Conv2D(4, 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation=last, kernel_initializer=keras.initializers.RandomNormal(stddev=2.0, seed=1)),
        ]
    )


def test_pydataset(lime: Any) -> None:
    train = Batches(*photographs(), batch_size=8, workers=1)
    model = small_convnet()
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    probes = ProbeSet.from_dataset(train, num_probes=4)
    callback = lime(probes)
    model.fit(train, validation_data=train, epochs=1, verbose=0, callbacks=[callback])
    assert_explains(callback, model, predict(model, probes))


class CustomModel(keras.Model):
    """`train_step` of one's own, which scales the images, and a `predict_step` that does the same."""

    def train_step(self, *arguments: Any) -> Any:
        *state, (images, labels) = arguments
        return super().train_step(*state, (images / 127.5 - 1, labels))

    def predict_step(self, *arguments: Any) -> Any:
        *state, data = arguments
        images = data[0] if isinstance(data, tuple) else data
        return super().predict_step(*state, images / 127.5 - 1)


def test_own_train_step(lime: Any) -> None:
    images, labels = photographs()
    inputs = keras.Input(SHAPE)
    model = CustomModel(inputs, small_convnet()(inputs))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    probes = ProbeSet(images[:4], labels[:4])
    callback = lime(probes)
    model.fit(images, labels, epochs=1, verbose=0, callbacks=[callback])
    assert_explains(callback, model, predict(model, probes))
    assert np.abs(predict(model, probes) - keras.ops.convert_to_numpy(model(probes.images))).max() > 0.05


class Distiller(keras.Model):
    """keras.io's: the teacher's soft predictions are the student's labels."""

    def __init__(self, student: Any, teacher: Any) -> None:
        super().__init__()
        self.teacher, self.student = teacher, student

    def compile(self, optimizer: Any, metrics: Any, student_loss_fn: Any, temperature: float = 3) -> None:
        super().compile(optimizer=optimizer, metrics=metrics)
        self.student_loss_fn, self.temperature = student_loss_fn, temperature
        self.distillation_loss_fn = keras.losses.KLDivergence()

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, allow_empty: bool = False
    ) -> Any:
        teacher_pred = self.teacher(x, training=False)
        student_loss = self.student_loss_fn(y, y_pred)
        distillation_loss = self.distillation_loss_fn(
            keras.ops.softmax(teacher_pred / self.temperature, axis=1),
            keras.ops.softmax(y_pred / self.temperature, axis=1),
        )
        return 0.1 * student_loss + 0.9 * distillation_loss * self.temperature**2

    def call(self, x: Any) -> Any:
        return self.student(x)


def test_distillation(lime: Any) -> None:
    images, labels = photographs(high=1)
    distiller = Distiller(student=small_convnet(None), teacher=small_convnet(None))
    distiller.compile(
        optimizer=keras.optimizers.Adam(),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
        student_loss_fn=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    probes = ProbeSet(images[:4], labels[:4])
    callback = lime(probes, output="logits", model=lambda model: model.student)
    distiller.fit(images, labels, epochs=1, verbose=0, callbacks=[callback])
    assert_explains(callback, distiller, keras.ops.convert_to_numpy(keras.ops.softmax(predict(distiller, probes))))


def test_image_and_metadata(lime: Any) -> None:
    images, labels = photographs()
    image, age = keras.Input(SHAPE, name="image"), keras.Input((1,), name="age")
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(image)))
    outputs = layers.Dense(2, activation="softmax")(layers.concatenate([x, age]))
    model = keras.Model(inputs=[image, age], outputs=outputs)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    ages = metadata(N)["age"]
    probes = ProbeSet(images[:4], labels[:4], inputs={"age": ages[:4]})
    callback = lime(probes)
    model.fit({"image": images, "age": ages}, labels, epochs=1, verbose=0, callbacks=[callback])
    assert_explains(callback, model, model.predict({"image": images[:4], "age": ages[:4]}, verbose=0))


def test_keras_hub_classifier(lime: Any) -> None:
    images, labels = photographs((20, 28, 3))
    classifier = hub_classifier((16, 16))
    classifier.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
    probes = ProbeSet(images[:2], labels[:2])
    callback = lime(probes)
    classifier.fit(x=images[:8], y=labels[:8], batch_size=4, epochs=1, verbose=0, callbacks=[callback])
    assert_explains(callback, classifier, predict(classifier, probes))


def test_folds(lime: Any, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("tensorflow").addHandler(caplog.handler)
    images, labels = photographs(high=1)
    probes = ProbeSet(images[:4], labels[:4])
    for fold in range(6):
        model = small_convnet()
        model.compile("adam", "sparse_categorical_crossentropy")
        callback = lime(probes)
        held_out = np.arange(N) % 6 == fold
        model.fit(images[~held_out], labels[~held_out], epochs=1, verbose=0, callbacks=[callback])
    # Keras' own train functions are counted too, and may be warned of; those of this package must not.
    messages = [record.getMessage() for record in caplog.records]
    assert not [message for message in messages if "TensorFlowEngine" in message or "_mix" in message]
    assert_explains(callback, model, predict(model, probes))


def test_augmentation_in_the_model(lime: Any) -> None:
    images, labels = photographs()
    data_augmentation = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])
    inputs = keras.Input(shape=SHAPE)
    x = data_augmentation(inputs)
    x = layers.Rescaling(1.0 / 255)(x)
    x = layers.SeparableConv2D(4, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.GlobalAveragePooling2D()(layers.Activation("relu")(x))
    outputs = layers.Dense(1, activation="sigmoid")(layers.Dropout(0.25)(x))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(3e-4), "binary_crossentropy", metrics=["accuracy"])
    probes = ProbeSet(images[:4], labels[:4])
    callback = lime(probes)
    model.fit(images, labels, epochs=1, verbose=0, callbacks=[callback])
    chance = predict(model, probes)
    assert_explains(callback, model, np.concatenate([1 - chance, chance], axis=1))
