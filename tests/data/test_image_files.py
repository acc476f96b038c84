"""Probes from a folder of images by class."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from keras_lime.exceptions import LimeWarning
from keras_lime.probes import ProbeSet

Images = NDArray[Any]


def some_images(count: int, seed: int = 0, shape: tuple[int, ...] = (6, 5, 3)) -> Images:
    return np.random.default_rng(seed).integers(0, 256, size=(count, *shape), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(("yield", "stop", "no entry")):
        (tmp_path / name / "deeper").mkdir(parents=True)
        for index, image in enumerate(some_images(6, seed=number, shape=(20, 30, 3))):
            inside = tmp_path / name / ("deeper" if index % 2 else "")
            Image.fromarray(image).save(inside / f"{index}{'.PNG' if index < 3 else '.jpg'}")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "readme.txt").write_text("no class")
    return tmp_path


class TestFromDirectory:
    def test_probes_of_every_class(self, folder: Path) -> None:
        probes = ProbeSet.from_directory(folder, image_size=(10, 12), per_class=2)
        assert probes.images.shape == (6, 10, 12, 3)
        assert probes.images.dtype == np.float32
        assert probes.class_names == ("no entry", "stop", "yield")
        assert probes.labels is not None
        assert probes.labels.tolist() == [0, 0, 1, 1, 2, 2]
        for name, label in zip(probes.names, probes.labels, strict=True):
            assert name.startswith(probes.class_names[label] + "/")
            assert (folder / name).is_file()

    def test_classes_as_keras_orders_them(self, folder: Path) -> None:
        import keras

        dataset = keras.utils.image_dataset_from_directory(folder, verbose=False)
        assert ProbeSet.from_directory(folder, image_size=(8, 8)).class_names == tuple(dataset.class_names)

    def test_moving_the_folder_changes_nothing(self, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        before = ProbeSet.from_directory(str(folder), image_size=(10, 12), per_class=3)
        moved = folder.rename(tmp_path_factory.mktemp("other") / "place")
        after = ProbeSet.from_directory(moved, image_size=(10, 12), per_class=3)
        assert (before.ids, before.names) == (after.ids, after.names)
        others = ProbeSet.from_directory(moved, image_size=(10, 12), per_class=3, seed=1)
        assert others.names != after.names

    def test_only_the_chosen_files_are_read(self, folder: Path) -> None:
        sizes: dict[str, Any] = {"per_class": 1, "num_tested": 9}
        chosen = ProbeSet.from_directory(folder, image_size=(10, 12), **sizes).tested.names
        assert len(chosen) == 9
        for file in folder.rglob("*.*"):
            if file.suffix.lower() in (".png", ".jpg") and file.relative_to(folder).as_posix() not in chosen:
                file.write_bytes(b"never read")
        assert ProbeSet.from_directory(folder, image_size=(10, 12), **sizes).tested.names == chosen

    def test_given_classes(self, folder: Path) -> None:
        probes = ProbeSet.from_directory(folder, image_size=(8, 8), class_names=["yield", "stop"], per_class=1)
        assert [name.split("/")[0] for name in probes.names] == ["yield", "stop"]
        with pytest.raises(ValueError, match=r"`class_names` must name folders.*\['go'\].*'stop'"):
            ProbeSet.from_directory(folder, image_size=(8, 8), class_names=["stop", "go"])

    @pytest.mark.parametrize(("mode", "channels"), [("rgb", 3), ("rgba", 4), ("grayscale", 1)])
    def test_colour_modes(self, mode: Any, channels: int, folder: Path) -> None:
        probes = ProbeSet.from_directory(folder, image_size=(8, 8), color_mode=mode)
        assert probes.images.shape[1:] == (8, 8, channels)

    def test_pixels_are_those_of_the_file(self, folder: Path) -> None:
        probes = ProbeSet.from_directory(folder, image_size=(20, 30), per_class=6)
        for name, image in zip(probes.names, probes.images, strict=True):
            np.testing.assert_array_equal(image, np.asarray(Image.open(folder / name)))

    def test_sixteen_bits_are_scaled(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        Image.fromarray(np.array([[0, 32768], [65535, 256]], np.uint16)).save(tmp_path / "a" / "deep.png")
        probes = ProbeSet.from_directory(tmp_path, image_size=(2, 2), color_mode="grayscale")
        assert probes.images[0, ..., 0].tolist() == [[0, 128], [255, 1]]

    def test_few_probes_of_many_classes_are_spread(self, tmp_path: Path) -> None:
        for number, image in enumerate(some_images(30)):
            (tmp_path / f"{number:02}").mkdir()
            Image.fromarray(image).save(tmp_path / f"{number:02}" / "a.png")
        probes = ProbeSet.from_directory(tmp_path, image_size=(6, 5), num_probes=10)
        assert probes.labels is not None
        assert len(set(probes.labels.tolist())) == 10
        assert probes.labels.max() > 15
        assert len(probes.tested) == 30

    def test_the_same_ids_as_from_keras_own_reader(self, folder: Path) -> None:
        import keras

        for file in folder.rglob("*.jpg"):
            Image.open(file).save(file.with_suffix(".png"))
            file.unlink()
        dataset = keras.utils.image_dataset_from_directory(folder, image_size=(8, 9), verbose=False)
        from_keras = ProbeSet.from_dataset(dataset, num_probes=18)
        assert set(ProbeSet.from_directory(folder, image_size=(8, 9)).ids) == set(from_keras.ids)

    def test_a_damaged_file_is_passed_over(self, folder: Path) -> None:
        chosen = ProbeSet.from_directory(folder, image_size=(10, 12), num_probes=6).names[0]
        damaged = folder / chosen
        damaged.write_bytes(damaged.read_bytes()[:60])
        with pytest.warns(LimeWarning, match="cannot be read") as caught:
            probes = ProbeSet.from_directory(folder, image_size=(10, 12), num_probes=6)
        assert str(damaged) in str(caught[0].message)
        assert caught[0].filename == __file__
        assert len(probes) == 6
        assert chosen not in probes.names

    def test_copies_count_once_and_empty_classes_warn(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        for name in ("1.png", "2.png"):
            Image.fromarray(some_images(1)[0]).save(tmp_path / "a" / name)
        with pytest.warns(LimeWarning, match=r"b gives no probe"):
            probes = ProbeSet.from_directory(tmp_path, image_size=(6, 5))
        assert len(probes) == 1
        assert probes.class_names == ("a", "b")

    def test_masks_of_a_folder(self, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        masks = tmp_path_factory.mktemp("masks")
        left = np.zeros((20, 30), np.uint8)
        left[:, :15] = 255
        for file in folder.rglob("*.PNG"):
            inside = masks / file.relative_to(folder).with_suffix(".tif")
            inside.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(left).save(inside)
        probes = ProbeSet.from_directory(folder, image_size=(10, 12), masks=masks)
        assert len(probes) == 9  # the images that have no mask are not selected
        assert probes.masks is not None
        expected = np.zeros((10, 12), bool)
        expected[:, :6] = True
        np.testing.assert_array_equal(probes.masks, [expected] * 9)
        # Of the window 20 x 20 in the middle of 20 x 30 the left half of the image is the left half too.
        cropped = ProbeSet.from_directory(folder, image_size=(10, 10), masks=masks, crop_to_aspect_ratio=True).masks
        assert cropped is not None
        assert cropped[:, :, :5].all()
        assert not cropped[:, :, 5:].any()

    def test_masks_that_are_not_there(self, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        empty = tmp_path_factory.mktemp("masks")
        with pytest.raises(ValueError, match="`masks` must hold files with the paths of the images"):
            ProbeSet.from_directory(folder, image_size=(10, 12), masks=empty)
        with pytest.raises(FileNotFoundError, match="`masks` must be a folder"):
            ProbeSet.from_directory(folder, image_size=(10, 12), masks=empty / "nowhere")

    def test_bad_folders(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="`path` must be a folder"):
            ProbeSet.from_directory(tmp_path / "nowhere", image_size=(8, 8))
        with pytest.raises(ValueError, match="one folder per class"):
            ProbeSet.from_directory(tmp_path, image_size=(8, 8))
        (tmp_path / "a").mkdir()
        with pytest.warns(LimeWarning, match="no probe"), pytest.raises(ValueError, match="must hold images"):
            ProbeSet.from_directory(tmp_path, image_size=(8, 8))

    @pytest.mark.parametrize("size", [8, (8,), (8, 0), (8, 8, 3), (8.5, 8), None])
    def test_bad_sizes(self, size: Any, folder: Path) -> None:
        with pytest.raises(ValueError, match=r"`image_size` must be \(height, width\)"):
            ProbeSet.from_directory(folder, image_size=size)

    def test_bad_color_mode(self, folder: Path) -> None:
        with pytest.raises(ValueError, match="`color_mode` must be"):
            ProbeSet.from_directory(folder, image_size=(8, 8), color_mode="bgr")  # type: ignore[arg-type]
