"""Class names: those that users give, and those that their data sets know."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from keras_lime.data.class_names import as_class_names, find_class_names

NAMES = ("cat", "dog", "fox")


class TestGiven:
    @pytest.mark.parametrize(
        "names",
        [
            ["cat", "dog", "fox"],
            np.array(["cat", "dog", "fox"]),
            {"dog": 1, "cat": 0, "fox": 2},
            {2: "fox", 0: "cat", 1: "dog"},
            {np.int64(1): "dog", np.int64(0): "cat", np.int64(2): "fox"},
        ],
    )
    def test_forms(self, names: Any) -> None:
        assert as_class_names(names) == NAMES

    @pytest.mark.parametrize(
        ("names", "error", "remedy"),
        [
            ("cat", TypeError, "give a list of it"),
            ({"cat", "dog"}, TypeError, "a set has no order.*sorted"),
            ({"cat": 0, "dog": 1}.keys(), TypeError, "a set has no order"),
            ([0, 1], TypeError, "Received: 0 in it"),
            (7, TypeError, "class_names=7"),
            ({"cat": "dog"}, TypeError, "from names to ids, or from ids to names"),
            ({"cat": True}, TypeError, "from names to ids"),
            ({"cat": 1, "dog": 2}, ValueError, r"ids 0 to 1, each once. Received: the ids \[1, 2\]"),
            ({"cat": 0, "dog": 0}, ValueError, "each once"),
        ],
    )
    def test_refused(self, names: Any, error: type[Exception], remedy: str) -> None:
        with pytest.raises(error, match=remedy):
            as_class_names(names)


def head() -> Any:
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((np.zeros((6, 4, 4, 3)), np.arange(6) % 3))
    dataset.class_names = list(NAMES)
    return dataset


class TestFound:
    def test_through_a_tensorflow_chain(self) -> None:
        import tensorflow as tf

        chain = head().shuffle(6).map(lambda x, y: (x / 255, y)).batch(2).cache().repeat(2).prefetch(tf.data.AUTOTUNE)
        assert find_class_names(chain) == NAMES
        assert find_class_names(chain.take(1).with_options(tf.data.Options())) == NAMES

    def test_heads_that_agree_and_heads_that_do_not(self) -> None:
        other = head()
        assert find_class_names(head().concatenate(other)) == NAMES
        other.class_names = ["dog", "cat", "fox"]
        assert find_class_names(head().concatenate(other)) is None

    def test_of_a_folder(self, tmp_path: Any) -> None:
        import keras
        from PIL import Image

        for name in ("yield", "stop"):
            (tmp_path / name).mkdir()
            Image.new("RGB", (4, 4)).save(tmp_path / name / "a.png")
        dataset = keras.utils.image_dataset_from_directory(tmp_path, image_size=(4, 4), verbose=False)
        assert find_class_names(dataset.map(lambda x, y: (x, y)).prefetch(1)) == ("stop", "yield")

    def test_of_a_keras_generator(self, tmp_path: Any) -> None:
        from keras.src.legacy.preprocessing.image import ImageDataGenerator
        from PIL import Image

        for name in ("yield", "stop"):
            (tmp_path / name).mkdir()
            Image.new("RGB", (4, 4)).save(tmp_path / name / "a.png")
        assert find_class_names(ImageDataGenerator().flow_from_directory(tmp_path)) == ("stop", "yield")

    def test_of_a_torch_loader(self) -> None:
        torch = pytest.importorskip("torch")
        data = torch.utils.data.TensorDataset(torch.zeros(6, 3, 4, 4))
        data.classes = list(NAMES)
        part = torch.utils.data.Subset(data, [0, 1])
        assert find_class_names(torch.utils.data.DataLoader(part)) == NAMES
        joined = torch.utils.data.ConcatDataset([part, data])
        assert find_class_names(torch.utils.data.DataLoader(joined)) == NAMES

    def test_of_hugging_face_features(self) -> None:
        features = {"image": SimpleNamespace(), "label": SimpleNamespace(names=list(NAMES))}
        assert find_class_names(SimpleNamespace(features=features)) == NAMES
        assert find_class_names(SimpleNamespace(features={**features, "other": SimpleNamespace(names=["a"])})) is None

    @pytest.mark.parametrize(
        "dataset",
        [
            None,
            (np.zeros((2, 4, 4, 3)), np.zeros(2)),
            [],
            SimpleNamespace(classes=np.arange(3)),
            SimpleNamespace(class_names="cat"),
            SimpleNamespace(dataset=np.zeros((2, 2))),
        ],
    )
    def test_none(self, dataset: Any) -> None:
        assert find_class_names(dataset) is None

    def test_a_loop_ends(self) -> None:
        loop = SimpleNamespace()
        loop.dataset = loop
        assert find_class_names(loop) is None
