"""Every data set that `fit` takes gives the same probes, however it is shuffled and batched."""

import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from keras_lime.core.image import image_id
from keras_lime.exceptions import LimeWarning
from keras_lime.probes import ProbeSet

Images = NDArray[Any]


def some_images(count: int, seed: int = 0, shape: tuple[int, ...] = (6, 5, 3)) -> Images:
    return np.random.default_rng(seed).integers(0, 256, size=(count, *shape), dtype=np.uint8)


@pytest.fixture
def images() -> Images:
    return some_images(60)


@pytest.fixture
def labels() -> NDArray[np.int64]:
    return np.arange(60) % 3


def batched(images: Images, labels: Any, size: int, third: Any = None) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(images), size):
        piece = slice(start, start + size)
        yield (images[piece], labels[piece]) + (() if third is None else (third[piece],))


def as_tf(images: Images, labels: Images) -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(60).batch(7)


def as_py_dataset(images: Images, labels: Images) -> Any:
    import keras

    class Shuffled(keras.utils.PyDataset):
        def __init__(self) -> None:
            super().__init__()
            self.order = np.random.default_rng().permutation(len(images))

        def __len__(self) -> int:
            return -(-len(images) // 8)

        def __getitem__(self, index: int) -> tuple[Images, Images]:
            rows = self.order[8 * index : 8 * index + 8]
            return images[rows], labels[rows]

    return Shuffled()


def as_torch(images: Images, labels: Images) -> Any:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.from_numpy(images), torch.from_numpy(labels))
    return torch.utils.data.DataLoader(data, batch_size=9, shuffle=True)


def as_generator(images: Images, labels: Images) -> Any:
    order = np.random.default_rng().permutation(len(images))
    return batched(images[order], labels[order], 11)


def as_endless_generator(images: Images, labels: Images) -> Iterator[Any]:
    while True:
        yield from as_generator(images, labels)


def as_weighted(images: Images, labels: Images) -> Any:
    return batched(images, labels, 16, np.ones(len(images)))


def as_one_hot(images: Images, labels: Images) -> Any:
    return batched(images, np.eye(3)[labels], 16)


def as_column(images: Images, labels: Images) -> Any:
    return list(batched(images, labels[:, None].astype(np.float32), 16))


def as_keras_tensors(images: Images, labels: Images) -> Any:
    import keras

    convert = keras.ops.convert_to_tensor
    return [(convert(x), convert(y)) for x, y in batched(images, labels, 16)]


def as_arrays(images: Images, labels: Images) -> Any:
    return images, labels


KINDS: list[Callable[[Images, Images], Any]] = [
    as_tf,
    as_py_dataset,
    as_torch,
    as_generator,
    as_endless_generator,
    as_weighted,
    as_one_hot,
    as_column,
    as_keras_tensors,
    as_arrays,
]


class TestFromDataset:
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_gives_the_same_probes(
        self, kind: Callable[..., Any], images: Images, labels: NDArray[np.int64]
    ) -> None:
        expected = ProbeSet.from_dataset((images, labels), per_class=2)
        for _ in range(2):
            found = ProbeSet.from_dataset(kind(images, labels), per_class=2, max_scan=180)
            assert found.ids == expected.ids
            assert found.labels is not None
            assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]

    def test_probes_carry_the_label_of_their_image(self, images: Images, labels: Images) -> None:
        probes = ProbeSet.from_dataset(as_tf(images, labels), num_probes=10)
        by_id = {image_id(image): label for image, label in zip(images, labels, strict=True)}
        assert probes.labels is not None
        assert [by_id[one] for one in probes.ids] == probes.labels.tolist()

    def test_another_seed_chooses_others(self, images: Images, labels: Images) -> None:
        chosen = {ProbeSet.from_dataset((images, labels), per_class=2, seed=seed).ids for seed in range(4)}
        assert len(chosen) == 4

    def test_the_choice_is_the_same_in_another_process(self, images: Images, labels: Images) -> None:
        code = (
            "import numpy as np; from keras_lime.probes import ProbeSet\n"
            "images = np.random.default_rng(0).integers(0, 256, size=(60, 6, 5, 3), dtype=np.uint8)\n"
            "print(*ProbeSet.from_dataset((images, np.arange(60) % 3), per_class=2, verbose=False).ids)\n"
            "import sys; assert not {'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert tuple(found.stdout.split()) == ProbeSet.from_dataset((images, labels), per_class=2).ids

    @settings(deadline=None)
    @given(
        labels=st.lists(st.integers(0, 4), min_size=1, max_size=60),
        per_class=st.none() | st.integers(1, 5),
        num_probes=st.none() | st.integers(1, 30),
        size=st.integers(1, 70),
        shuffle=st.randoms(use_true_random=False),
    )
    def test_balance_and_independence_of_order(
        self, labels: list[int], per_class: int | None, num_probes: int | None, size: int, shuffle: Any
    ) -> None:
        images = some_images(len(labels), shape=(2, 2, 3))
        order = list(range(len(labels)))
        shuffle.shuffle(order)
        limits: dict[str, Any] = {"per_class": per_class, "num_probes": num_probes}
        probes = ProbeSet.from_dataset((images, np.array(labels)), **limits)
        shuffled = ProbeSet.from_dataset(batched(images[order], np.array(labels)[order], size), **limits)
        assert shuffled.ids == probes.ids

        available = np.bincount(labels, minlength=5)
        allowed = available if per_class is None else np.minimum(available, per_class)
        limit = 20 if per_class is None and num_probes is None else num_probes
        assert len(probes) == min(allowed.sum(), allowed.sum() if limit is None else limit)
        taken = np.bincount(np.asarray(probes.labels), minlength=5)
        assert (taken <= allowed).all()
        # Nobody has more than one above a class that could have given more.
        assert all(taken.max() - taken[c] <= 1 for c in range(5) if taken[c] < allowed[c])

    def test_a_new_image_changes_one_probe_at_most(self, images: Images, labels: Images) -> None:
        fewer = ProbeSet.from_dataset((images[:-1], labels[:-1]), per_class=3)
        more = ProbeSet.from_dataset((images, labels), per_class=3)
        assert len(set(more.ids) - set(fewer.ids)) <= 1

    def test_equal_images_are_taken_once(self, images: Images, labels: Images) -> None:
        twice = ProbeSet.from_dataset((np.tile(images, (2, 1, 1, 1)), np.tile(labels, 2)), per_class=4)
        assert twice.ids == ProbeSet.from_dataset((images, labels), per_class=4).ids

    def test_an_image_with_two_labels_keeps_the_lower(self) -> None:
        images = np.repeat(some_images(1), 2, axis=0)
        for labels in ([0, 1], [1, 0]):
            probes = ProbeSet.from_dataset((images, np.array(labels)))
            assert probes.labels is not None
            assert probes.labels.tolist() == [0]

    def test_without_labels(self, images: Images) -> None:
        for dataset in (images, (images,), [images[:30], images[30:]], [(images,)], [{"image": images}]):
            probes = ProbeSet.from_dataset(dataset, num_probes=7)
            assert len(probes) == 7
            assert probes.labels is None
        assert len(ProbeSet.from_dataset(images)) == 20

    def test_masks_come_as_third_part(self, images: Images, labels: Images) -> None:
        masks = images[..., :1] > 127
        probes = ProbeSet.from_dataset(batched(images, labels, 16, masks), num_probes=9)
        assert probes.masks is not None
        np.testing.assert_array_equal(probes.masks, probes.images[..., 0] > 127)

    def test_grey_batches_without_channel_axis(self) -> None:
        images = some_images(30, shape=(28, 28))
        assert ProbeSet.from_dataset((images, np.arange(30) % 10), per_class=1).images.shape == (10, 28, 28)

    def test_class_names_of_the_data_set(self, tmp_path: Path) -> None:
        import keras

        for name in ("yield", "stop"):
            (tmp_path / name).mkdir()
            for index, image in enumerate(some_images(5, seed=len(name), shape=(9, 9, 3))):
                Image.fromarray(image).save(tmp_path / name / f"{index}.png")
        dataset = keras.utils.image_dataset_from_directory(tmp_path, image_size=(9, 9), batch_size=3, verbose=False)
        probes = ProbeSet.from_dataset(dataset, per_class=2)
        assert probes.class_names == ("stop", "yield")
        assert probes.images.dtype == np.float32
        assert ProbeSet.from_dataset(dataset, per_class=2).ids == probes.ids
        assert ProbeSet.from_dataset(dataset, class_names=["a", "b"]).names[0].startswith("a · ")

    def test_bfloat16(self) -> None:
        torch = pytest.importorskip("torch")
        import tensorflow as tf

        images = some_images(4).astype(np.float32)
        expected = ProbeSet.from_dataset(images.copy()).ids
        for tensor in (torch.from_numpy(images).bfloat16(), tf.cast(images, tf.bfloat16)):
            assert ProbeSet.from_dataset([tensor]).ids == expected

    def test_scanning_keeps_few_images(self) -> None:
        def peak(batches: int) -> int:
            stream = ((some_images(20, seed, (100, 100, 3)), np.arange(20)) for seed in range(batches))
            tracemalloc.start()
            probes = ProbeSet.from_dataset(stream, num_probes=5)
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert len(probes) == 5
            return found

        peak(5)  # what is imported on the way stays
        few, many = peak(50), peak(65)
        assert many < few + 0.5e6  # all images of the further batches: 9 MB
        assert few < 7e6  # probes, the check of the frames of 1,000 images, one batch


class TestTested:
    """Shortcut tests use more images than are explained."""

    def test_defaults(self, images: Images, labels: Images) -> None:
        probes = ProbeSet.from_dataset((images, labels))
        assert (len(probes), len(probes.tested)) == (20, 60)
        assert probes.tested.tested is probes.tested

    @settings(deadline=None)
    @given(
        labels=st.lists(st.integers(0, 4), min_size=1, max_size=40),
        per_class=st.none() | st.integers(1, 4),
        num_probes=st.none() | st.integers(1, 20),
        num_tested=st.integers(1, 50),
    )
    def test_tested_images_are_the_explained_ones_and_more(
        self, labels: list[int], per_class: int | None, num_probes: int | None, num_tested: int
    ) -> None:
        data = some_images(len(labels), shape=(2, 2, 3)), np.array(labels)
        limits: dict[str, Any] = {"per_class": per_class, "num_probes": num_probes}
        probes = ProbeSet.from_dataset(data, num_tested=num_tested, **limits)
        alone = ProbeSet.from_dataset(data, num_tested=1, **limits)
        assert probes.ids == alone.ids
        assert len(probes.tested) == max(len(probes), min(num_tested, len(labels)))
        assert probes.tested.ids[: len(probes)] == probes.ids
        assert probes.tested.names[: len(probes)] == probes.names
        np.testing.assert_array_equal(probes.tested.images[: len(probes)], probes.images)
        # What is tested is the selection that as many explained images would be, where no class is limited.
        if per_class is None:
            assert set(probes.tested.ids) == set(ProbeSet.from_dataset(data, num_probes=len(probes.tested)).ids)

    def test_explained_images_share_their_memory_with_the_tested_ones(self, images: Images, labels: Images) -> None:
        probes = ProbeSet.from_dataset((images, labels), num_probes=6, num_tested=30)
        assert np.shares_memory(probes.images, probes.tested.images)


class TestSeveralInputs:
    def test_of_a_dictionary(self, images: Images, labels: Images) -> None:
        ages = np.arange(60, dtype=np.float64)
        probes = ProbeSet.from_dataset(({"image": images, "age": ages}, labels), num_probes=9)
        by_image = {image.tobytes(): age for image, age in zip(images, ages, strict=True)}
        assert probes.inputs["age"].dtype == np.float32
        assert probes.inputs["age"].tolist() == [by_image[image.tobytes()] for image in probes.images]
        assert set(probes.inputs) == {"age"}
        assert len(probes.tested.inputs["age"]) == 60

    def test_of_a_tuple_and_of_a_tensorflow_data_set(self, images: Images, labels: Images) -> None:
        import tensorflow as tf

        meta = np.arange(120).reshape(60, 2)
        arrays = ProbeSet.from_dataset(([images, meta], labels), num_probes=9)
        dataset = tf.data.Dataset.from_tensor_slices(((images, meta), labels)).shuffle(60).batch(7)
        batches = ProbeSet.from_dataset(dataset, num_probes=9)
        assert arrays.ids == batches.ids
        np.testing.assert_array_equal(arrays.inputs[1], batches.inputs[1])

    def test_the_image_is_named_where_two_look_like_one(self, images: Images, labels: Images) -> None:
        pairs = {"left": images, "right": images[::-1].copy()}
        probes = ProbeSet.from_dataset((pairs, labels), image_input="right", num_probes=4)
        flipped = {right.tobytes(): left for left, right in zip(images, images[::-1], strict=True)}
        for image, left in zip(probes.images, probes.inputs["left"], strict=True):
            np.testing.assert_array_equal(flipped[image.tobytes()], left)
        with pytest.raises(ValueError, match=r"`image_input` must name one of the inputs, \['left', 'right'\]"):
            ProbeSet.from_dataset((pairs, labels), image_input="middle")

    def test_one_image_with_different_other_inputs_makes_different_probes(self, images: Images) -> None:
        twice = np.repeat(images[:1], 2, axis=0)
        probes = ProbeSet.from_dataset(({"image": twice, "age": np.array([30, 40])}, np.array([0, 1])))
        assert len(set(probes.ids)) == 2


class TestLabels:
    def test_names_of_classes(self, images: Images, labels: Images) -> None:
        import tensorflow as tf

        names = np.array(["ant", "bee", "cow"])
        expected = ProbeSet.from_dataset((images, labels), class_names=["ant", "bee", "cow"])
        tensors = tf.data.Dataset.from_tensor_slices((images, names[labels])).batch(7)
        for dataset in ((images, names[labels]), (images, names[labels].tolist()), tensors):
            probes = ProbeSet.from_dataset(dataset, class_names={"bee": 1, "ant": 0, "cow": 2})
            assert probes.ids == expected.ids
            assert probes.labels is not None
            assert expected.labels is not None
            np.testing.assert_array_equal(probes.labels, expected.labels)

    def test_sets_of_classes(self, images: Images) -> None:
        rows = np.random.default_rng(1).integers(0, 2, (60, 3))
        probes = ProbeSet.from_dataset((images, rows), num_probes=12, class_names=["ant", "bee", "cow"])
        assert probes.labels is None
        assert probes.multi_hot is not None
        by_image = {image.tobytes(): row for image, row in zip(images, rows, strict=True)}
        expected = [by_image[image.tobytes()] for image in probes.images]
        np.testing.assert_array_equal(probes.multi_hot, np.array(expected, bool))
        first = " and ".join(np.array(["ant", "bee", "cow"])[probes.multi_hot[0]]).replace(" and ", ", ")
        assert probes.names[0].startswith(first or "image")

    def test_a_batch_of_single_classes_among_sets_of_classes(self, images: Images) -> None:
        rows = np.eye(3, dtype=int)[np.arange(60) % 3]
        rows[45] = 1
        probes = ProbeSet.from_dataset(batched(images, rows, 10), num_probes=60)
        assert probes.labels is None
        assert probes.multi_hot is not None
        assert probes.multi_hot.sum() == 62


class TestMaxScan:
    def test_a_longer_data_set_warns(self, images: Images, labels: Images) -> None:
        with pytest.warns(LimeWarning, match="first 20 images.*`max_scan`") as caught:
            ProbeSet.from_dataset(batched(images, labels, 7), per_class=1, max_scan=20)
        assert caught[0].filename == __file__

    @pytest.mark.parametrize("max_scan", [60, 61, None])
    def test_a_data_set_that_ends_in_time_does_not(self, max_scan: int | None, images: Images, labels: Images) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ProbeSet.from_dataset(batched(images, labels, 7), per_class=1, max_scan=max_scan)

    def test_an_endless_one_that_repeats_itself_does_not(self, images: Images, labels: Images) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            endless = ProbeSet.from_dataset(as_endless_generator(images, labels), per_class=2, max_scan=120)
        assert endless.ids == ProbeSet.from_dataset((images, labels), per_class=2).ids

    def test_an_endless_one_that_does_not_repeat_itself_warns(self) -> None:
        def noise() -> Iterator[Images]:
            for seed in range(10**9):
                yield some_images(10, seed)

        with pytest.warns(LimeWarning, match="another run may choose others"):
            ProbeSet.from_dataset(noise(), max_scan=95)


class TestBadDatasets:
    @pytest.mark.parametrize(
        ("dataset", "remedy"),
        [
            ("some/folder", "from_directory"),
            (Path("some/folder"), "from_directory"),
            (7, "tf.data.Dataset.*Received: int"),
            (None, "Received: NoneType"),
            ({"x": 1}, "Received: dict"),
            (as_generator, "Call the generator function"),
            ([(np.array([["a"]]), [0])], "real numbers"),
        ],
    )
    def test_no_data_set(self, dataset: Any, remedy: str) -> None:
        with pytest.raises(TypeError, match=remedy):
            ProbeSet.from_dataset(dataset)

    @pytest.mark.parametrize(
        ("dataset", "remedy"),
        [
            ([], "at least one image"),
            (some_images(0), "at least one image"),
            ([(some_images(4, shape=(8, 3)), np.arange(4))], "Batch single images"),
            ([(some_images(1)[0], 0)], "Batch single images"),
            ([(some_images(4, shape=(8,)), np.arange(4))], "give grey images a channel axis"),
            ([(some_images(4), np.arange(3))], "one label for each of the 4 images"),
            ([(some_images(4), np.zeros((4, 6, 5)))], "segmentation"),
            ([(some_images(4), {"a": np.arange(4), "b": np.arange(4)})], "labels of one output.*'a', 'b'.*y\\['a'\\]"),
            (
                [({"left": some_images(4), "right": some_images(4)}, np.arange(4))],
                "several of them.*image_input='left'",
            ),
            ([((some_images(4), some_images(4)), np.arange(4))], "several of them.*image_input=0"),
            (({"age": np.arange(4.0), "sex": np.arange(4)}, np.arange(4)), "none of them.*image_input='age'"),
            (({"image": some_images(4), "age": np.arange(3)}, np.arange(4)), "one length"),
            ((some_images(4), {"cls": np.arange(4), "box": np.zeros((4, 4))}), r"labels of one output.*y\['cls'\]"),
            (([some_images(4), some_images(4)], [np.arange(4), np.arange(4)]), "second input, name the inputs"),
            ([{"image": some_images(4), "label": np.arange(4)}], r"dataset\.map"),
            ([(some_images(4), np.arange(4), None, None)], "4 parts"),
            ([(some_images(4), np.arange(4), np.zeros((4, 5, 6)))], "object masks of shape"),
            ([some_images(4), some_images(4, shape=(7, 7, 3))], "one shape.*Resize"),
            ([some_images(4), (some_images(4), np.arange(4))], "labels with every batch or with none"),
            ((some_images(4), np.arange(5)), "one length"),
            ([(some_images(4) * np.nan, np.arange(4))], "finite"),
            ([(some_images(4), [[1, 2], [0, 1], [1, 0], [1, 0]])], "leave the labels out"),
            ([(some_images(4), ["cat", "dog", "cat", "dog"])], r"need `class_names`.*sorted\(set\(labels\)\)"),
        ],
    )
    def test_no_image_classification(self, dataset: Any, remedy: str) -> None:
        with pytest.raises(ValueError, match=remedy):
            ProbeSet.from_dataset(dataset)

    def test_ragged_images(self) -> None:
        import tensorflow as tf

        ragged = tf.RaggedTensor.from_tensor(tf.zeros((2, 4, 4, 3)))
        ragged = tf.concat([ragged, tf.RaggedTensor.from_tensor(tf.zeros((1, 5, 4, 3)))], axis=0)
        with pytest.raises(ValueError, match="`dataset` must be a regular array. Received: a ragged tensor.*Resize"):
            ProbeSet.from_dataset([(ragged, [0, 1, 2])])

    def test_hugging_face(self) -> None:
        datasets = pytest.importorskip("datasets")
        rows = datasets.Dataset.from_dict({"image": [[[1]]] * 4, "label": [0, 1, 0, 1]})
        with pytest.raises(TypeError, match=r"rows of the columns \['image', 'label'\].*to_tf_dataset"):
            ProbeSet.from_dataset(rows)
        with pytest.raises(TypeError, match=r"one data set.*dataset\['train'\]"):
            ProbeSet.from_dataset(datasets.DatasetDict({"train": rows, "test": rows}))
        with pytest.raises(TypeError, match="to_tf_dataset"):
            ProbeSet.from_dataset(rows.to_iterable_dataset())

    @pytest.mark.parametrize("name", ["per_class", "num_probes", "num_tested", "max_scan"])
    @pytest.mark.parametrize("value", [0, -1, 1.5, True, "2"])
    def test_counts(self, name: str, value: Any) -> None:
        with pytest.raises(ValueError, match=f"`{name}` must be an integer of at least 1"):
            ProbeSet.from_dataset((some_images(4), np.arange(4)), **{name: value})

    def test_per_class_without_labels(self) -> None:
        with pytest.raises(ValueError, match=r"`per_class` needs labels.*`num_probes`"):
            ProbeSet.from_dataset(some_images(4), per_class=2)

    def test_seed(self) -> None:
        with pytest.raises(TypeError, match="`seed` must be an integer"):
            ProbeSet.from_dataset(some_images(4), seed=0.5)  # type: ignore[arg-type]
