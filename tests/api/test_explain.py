"""`explain()` on real Keras models, under whichever backend is active."""

import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import Explanation, ProbeSet, explain
from keras_lime.core.settings import make_settings
from tests.support.models import photo

PATCH = (slice(8, 16), slice(16, 24))
GRID: dict[str, Any] = {"segmentation": "grid", "n_segments": 16, "num_samples": 400, "baseline": 0}


@keras.saving.register_keras_serializable("tests")
class PatchDetector(keras.layers.Layer):
    """Log-odds of how bright the patch is: positive above the middle of the range."""

    def __init__(self, middle: float, steepness: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.middle, self.steepness = middle, steepness

    def call(self, images: Any) -> Any:
        patch = images[:, *PATCH]
        mean = keras.ops.mean(
            keras.ops.reshape(patch, (-1, 64 * (patch.shape[-1] if len(images.shape) == 4 else 1))), 1
        )
        return keras.ops.expand_dims((mean - self.middle) * self.steepness, 1)


def planted(
    shape: tuple[int, ...], output: str, low: float = 0.0, high: float = 255.0
) -> tuple[keras.Model, np.ndarray]:
    """A model that looks at one bright patch, and an image that has it, on middling noise."""
    image = np.random.default_rng(0).uniform(0.2, 0.4, shape)
    image[PATCH] = 1.0
    inputs = keras.layers.Input(shape)
    odds = PatchDetector((low + high) / 2, 8 / (high - low))(inputs)
    if output == "sigmoid":
        outputs = keras.layers.Activation("sigmoid")(odds)
    else:
        outputs = keras.layers.Softmax()(keras.layers.Concatenate()([keras.ops.zeros_like(odds), odds]))
    return keras.Model(inputs, outputs), (low + image * (high - low)).astype(np.float32)


@pytest.mark.parametrize("num_samples", [400, "auto"])
def test_a_second_image_compiles_nothing(num_samples: Any) -> None:
    from keras_lime.scoring.engines import engine_for

    model, image = planted((32, 32, 3), "softmax")
    given = {**GRID, "num_samples": num_samples}
    first = explain(model, image, **given)
    engine = engine_for(model, image.shape)
    traces = engine.traces
    for other, segments in ((image[::-1].copy(), 16), (image[:, ::-1].copy(), 40)):
        second = explain(model, other, **{**given, "n_segments": segments})
        assert second.image.shape == first.image.shape
    explain(model, [image, image[::-1].copy(), image[:, ::-1].copy()], **given)
    assert engine_for(model, image.shape) is engine
    assert engine.traces == traces <= 1


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 1), (32, 32, 3), (32, 32, 5)])
@pytest.mark.parametrize(("low", "high"), [(0.0, 255.0), (0.0, 1.0), (-1.0, 1.0)])
def test_planted_patch_is_found(shape: tuple[int, ...], output: str, low: float, high: float) -> None:
    model, image = planted(shape, output, low, high)
    explanation = explain(model, image, **{**GRID, "baseline": "grey" if low < 0 else low})
    assert explanation.predicted == 1
    weights = explanation.weights()
    patch = explanation.segmentation.labels[PATCH].flat[0]
    assert weights.argmax() == patch
    assert weights[patch] > 10 * np.abs(np.delete(weights, patch)).max()
    assert explanation.fit.r2[0] > 0.9
    opposite = explain(model, image, targets=0, **{**GRID, "baseline": "grey" if low < 0 else low})
    np.testing.assert_allclose(opposite.weights(), -weights, atol=1e-5)


def test_integers_are_fed_in_their_range() -> None:
    model, image = planted((32, 32, 3), "softmax")
    whole = np.round(image).astype(np.uint8)
    found, expected = explain(model, whole, **GRID), explain(model, whole.astype(np.float32), **GRID)
    np.testing.assert_allclose(found.prediction, expected.prediction, atol=1e-6)
    assert found.image.dtype == np.uint8


def test_a_batch_gives_a_list_and_the_same_answers() -> None:
    model, image = planted((32, 32, 3), "softmax")
    batch = np.stack([image, image[::-1], image * 0.5])
    together = explain(model, batch, label=[1, 0, 1], **GRID)
    assert [type(each) for each in together] == [Explanation] * 3
    assert [each.label for each in together] == [1, 0, 1]
    for each, one in zip(together, batch, strict=True):
        np.testing.assert_allclose(explain(model, one, label=each.label, **GRID).fit.coef, each.fit.coef, atol=1e-5)
    as_list = explain(model, list(batch), label=[1, 0, 1], **GRID)
    np.testing.assert_array_equal(as_list[2].fit.coef, together[2].fit.coef)


def test_label_and_prediction_are_the_default_targets() -> None:
    model, image = planted((32, 32, 3), "softmax")
    assert explain(model, image, **GRID).targets == (1,)
    explanation = explain(model, image, label=0, class_names=["dark", "bright"], **GRID)
    assert explanation.targets == (0, 1)
    assert explanation.target_names == ("dark", "bright")
    assert explain(model, image, targets="top2", **GRID).targets == (1, 0)


def test_classes_by_name() -> None:
    model, image = planted((32, 32, 3), "softmax")
    names = {"bright": 1, "dark": 0}
    explanation = explain(model, image, label="dark", class_names=names, **GRID)
    assert explanation.targets == (0, 1)
    assert explanation.target_names == ("dark", "bright")
    assert explain(model, image, targets="dark", class_names=names, **GRID).targets == (0,)
    assert explain(model, image, targets=["dark", "predicted"], class_names=names, **GRID).targets == (0, 1)
    both = explain(model, [image, image[::-1].copy()], label=["dark", "bright"], class_names=names, **GRID)
    assert [each.label for each in both] == [0, 1]


def test_a_probe_set_of_images_with_several_classes_explains_each() -> None:
    _, image = planted((32, 32, 3), "softmax")
    probes = ProbeSet([image, image[::-1].copy()], [[1, 1], [0, 0]])
    several, none = probes.subjects()
    settings = make_settings(GRID)
    assert settings.wanted(several.label, several.classes) == (0, 1, "predicted")
    assert settings.wanted(none.label, none.classes) == ("predicted",)


def test_a_plain_function() -> None:
    def bright(images: np.ndarray) -> np.ndarray:
        share = images[:, *PATCH].mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - share, share], axis=1)

    _, image = planted((32, 32, 3), "softmax")
    weights = explain(bright, image, **GRID).weights()
    patch = explain(bright, image, **GRID).segmentation.labels[PATCH].flat[0]
    assert weights.argmax() == patch


def test_tensors_of_the_backend_are_images() -> None:
    model, image = planted((32, 32, 3), "softmax")
    tensor = keras.ops.convert_to_tensor(image)
    np.testing.assert_array_equal(explain(model, tensor, **GRID).fit.coef, explain(model, image, **GRID).fit.coef)


def convolutions() -> tuple[keras.Model, np.ndarray]:
    """A model whose output depends on every superpixel, and an image for it."""
    keras.utils.set_random_seed(1)
    layers: list[Any] = [keras.layers.Input((32, 32, 3)), keras.layers.Rescaling(1 / 64)]
    layers += [keras.layers.Conv2D(8, 3, activation="relu"), keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")]), photo(32).astype(np.float32)


def test_the_same_seed_gives_the_same_weights() -> None:
    model, image = convolutions()
    first, second, other = (explain(model, image, **GRID, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.fit.coef, second.fit.coef)
    assert not np.array_equal(first.fit.coef, other.fit.coef)


def test_an_image_of_noise_has_superpixels_too() -> None:
    model, _ = planted((32, 32, 3), "softmax")
    noise = np.random.default_rng(0).uniform(0, 255, (32, 32, 3)).astype(np.float32)
    assert explain(model, noise, num_samples=100).segmentation.n_segments > 30


def test_more_samples_come_nearer_to_the_same_weights() -> None:
    model, image = convolutions()
    many = explain(model, image, **GRID | {"num_samples": 20_000}).weights()
    errors = [np.abs(explain(model, image, **GRID | {"num_samples": n}).weights() - many).max() for n in (50, 1000)]
    assert errors[1] < errors[0]


ASK: Any = explain
"""`explain` without its types, to ask it what types forbid."""


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m, x: ASK(m, x[None][:0]), ValueError, "at least one image"),
        (lambda m, x: ASK(m, x * np.nan), ValueError, "`image` must be finite"),
        (lambda m, x: ASK(m, [x, x[:16]]), ValueError, r"`image` must hold images of one shape.*at 1"),
        (lambda m, x: ASK(m, x, label=[0, 1]), ValueError, "`label` must be one class index"),
        (lambda m, x: ASK(m, x[None], label=1.5), ValueError, "`label` must be 1 class indices"),
        (lambda m, x: ASK(m, x, label="dog"), ValueError, "need `class_names`"),
        (lambda m, x: ASK(m, x, label="dog", class_names=["cat", "fox"]), ValueError, "among `class_names`.*'dog'"),
        (lambda m, x: ASK(m, x, targets="dog", class_names=["cat", "fox"]), ValueError, "`targets`.*name in.*'dog'"),
        (lambda m, x: ASK(m, x, class_names={"cat", "fox"}), TypeError, "a set has no order"),
        (lambda m, x: ASK(m, x, class_names="cat"), TypeError, "give a list of it"),
        (lambda m, x: ASK(m, "photo.jpg"), TypeError, r"the path 'photo.jpg'.*load_img"),
        (lambda m, x: ASK(m, Path("a/b.png")), TypeError, r"the path 'a/b.png'.*load_img"),
        (lambda m, x: ASK(m, ProbeSet(x[None])), TypeError, r"ProbeSet.*explain\(model, probes.images, label="),
        (lambda m, x: ASK(m, x, top_labels=5), TypeError, r"`top_labels` is an argument of the lime.*targets=\"top5\""),
        (lambda m, x: ASK(m, x, hide_color=0), TypeError, "lime.*baseline=0"),
        (lambda m, x: ASK(m, x, label=2, **GRID), ValueError, "below the model's 2 outputs"),
        (lambda m, x: ASK(m, x, targets=7, **GRID), ValueError, "`targets`"),
        (lambda m, x: ASK(m, x, class_names=["a"], **GRID), ValueError, "`class_names`"),
        (lambda m, x: ASK(m, x[..., 0]), ValueError, "shape"),
        (lambda m, x: ASK(m, x[:16]), ValueError, "shape"),
        (lambda m, x: ASK(m, x, **GRID | {"num_samples": 5}), ValueError, "`num_samples` must be at least"),
        (lambda m, x: ASK(m, x, samples=5), TypeError, "`samples` is no setting"),
        (lambda m, x: ASK(m, np.full((32, 32), "a")), TypeError, "real numbers"),
        (lambda m, x: ASK(m, x[None, None]), ValueError, "`image` must be one image"),
        (lambda m, x: ASK("model.keras", x), TypeError, "model"),
    ],
)
def test_bad_input(call: Callable[[Any, Any], Any], error: type[Exception], message: str) -> None:
    model, image = planted((32, 32, 3), "softmax")
    with pytest.raises(error, match=message):
        call(model, image)


def test_output_that_is_not_finite_names_the_image() -> None:
    model, image = planted((32, 32, 3), "softmax")

    def breaks(images: np.ndarray) -> np.ndarray:
        scores = np.asarray(keras.ops.convert_to_numpy(model(images)))
        return np.where(images.mean() > 1000, np.nan, scores)

    explain(breaks, image, **GRID)
    with pytest.raises(ValueError, match=r"`image` 1.*finite"):
        explain(breaks, np.stack([image, image + 2000]), display_fn=lambda x: np.clip(x, 0, 255), **GRID)


LITE0 = "../shared/data/models/efficientnet_lite0.keras"


def for_any_keras(source: str, target: Path) -> Path:
    """A copy of a model file without the options that it leaves unset and that older releases of Keras refuse."""
    unset = rb', "((in|out)put_axes|renorm_clipping|quantization_config)": null|, "renorm(_momentum)?": (false|0\.99)'
    with zipfile.ZipFile(source) as read, zipfile.ZipFile(target, "w") as written:
        for name in read.namelist():
            content = read.read(name)
            if name == "config.json":
                content = re.sub(unset, b"", content)
            written.writestr(name, content)
    return target


@pytest.mark.skipif(not os.path.exists(LITE0), reason="needs the ImageNet model beside the checkout")
def test_a_real_imagenet_model_sees_the_cat(tmp_path: Path) -> None:
    from skimage import data
    from skimage.transform import resize

    cat = data.chelsea()
    side = min(cat.shape[:2]) * 224 // 256
    top, left = (cat.shape[0] - side) // 2, (cat.shape[1] - side) // 2
    crop = resize(
        cat[top : top + side, left : left + side], (224, 224), order=3, anti_aliasing=True, preserve_range=True
    )
    model = keras.saving.load_model(for_any_keras(LITE0, tmp_path / "lite0.keras"), compile=False)
    explanation = explain(model, crop.astype(np.float32), targets="top2", num_samples=200)
    assert explanation.predicted in (281, 282, 285)
    assert 0.25 < explanation.predicted_value < 0.55
    assert explanation.fit.r2[0] > 0.3


def test_outputs_of_a_regression_are_no_classes() -> None:
    model = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile(loss="mse")
    image = photo(16).astype(np.float32)
    explanation = explain(model, image, segmentation="grid", n_segments=9, num_samples=64)
    assert explanation.target_names == ("output 0", "output 1")
    assert "class" not in str(explanation)
    named = explain(model, image, segmentation="grid", n_segments=9, num_samples=64, class_names=["age", "height"])
    assert named.target_names == ("age", "height")
