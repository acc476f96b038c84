"""Data with a planted trace, and clean data: what a check finds, and what it must not."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import keras_lime
from keras_lime import ProbeSet, check_data
from keras_lime.data_check.sample import Sampler
from keras_lime.shortcut.results import Status
from tests.support.drawn_worlds import Trace, drawn_world


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Discs as PNG files, squares as JPEG files twice as large."""
    images, labels = drawn_world(60, 3, side=40)
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        file = tmp_path / ("square" if label else "disc") / f"{index}.{'jpg' if label else 'png'}"
        file.parent.mkdir(exist_ok=True)
        drawn = Image.fromarray(image)
        (drawn.resize((80, 80)) if label else drawn).save(file)
    return tmp_path


@pytest.mark.parametrize(
    ("trace", "name"), [("frame", "frame"), ("colour", "colour"), ("blur", "sharpness"), ("jpeg", "compression")]
)
def test_a_planted_trace_is_found(trace: Trace, name: str) -> None:
    found = check_data(drawn_world(120, 1, trace), class_names=["disc", "square"])
    assert found.status is Status.ALARM
    by_name = {each.name: each for each in found.findings}
    assert by_name[name].strong
    assert by_name[name].kappa > by_name[name].clean + 0.3
    assert by_name[name].remedy in str(found)
    assert "square" in by_name[name].sentence


def test_clean_data_are_not_accused() -> None:
    for seed in range(5):
        found = check_data(drawn_world(100, seed))
        assert found.status is Status.PASSED, f"seed {seed}: {found}"
        assert found.highest_kappa == 0
    assert "Nothing but the object" in str(found)


def test_half_of_a_class_with_the_trace() -> None:
    clean, labels = drawn_world(160, 5, side=48)
    blurred, _ = drawn_world(160, 5, "blur", side=48)
    half = np.where((np.arange(160) % 2 == 0)[:, None, None, None], blurred, clean)
    found = check_data((half, labels))
    sharpness = next(each for each in found.findings if each.name == "sharpness")
    assert 0.2 < sharpness.kappa < 0.8


def test_many_classes_of_which_one_has_the_trace() -> None:
    images, _ = drawn_world(150, 6, side=32)
    labels = np.arange(150) % 5
    images[labels == 3, :3] = 250
    found = check_data((images, labels), class_names=list("abcde"))
    frame = next(each for each in found.findings if each.name == "frame")
    assert frame.classes[0] == ("d", 1.0)
    assert {labels[position] for position in frame.examples[0][1]} == {3}


def test_models_may_take_other_ranges_and_grey_images() -> None:
    images, labels = drawn_world(80, 1, "frame", side=32)
    unit = images.astype(np.float32) / 127.5 - 1
    grey = images.mean(axis=-1).astype(np.uint8)[..., None]
    for given in (unit, grey):
        assert "frame" in {each.name for each in check_data((given, labels)).findings}


def test_files_tell_size_and_format(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "reports" / "check.html"
    found = check_data(folder, out=page)
    assert {"size", "format"} <= {each.name for each in found.findings}
    assert "aspect" in {each.name for each in found.properties} - {each.name for each in found.findings}
    text = page.read_text(encoding="utf-8")
    assert "The size of the files" in text
    assert text.count("<img") > 10
    assert "script" not in text.lower()


def test_names_cannot_break_the_report(tmp_path: Path) -> None:
    images, labels = drawn_world(40, 1, "frame")
    names = ["<script>alert(1)</script>", "a & b"]
    found = check_data((images, labels), class_names=names, out=tmp_path / "check.html")
    assert found.status is Status.ALARM
    text = (tmp_path / "check.html").read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "a &amp; b" in text


def test_near_duplicates(tmp_path: Path) -> None:
    images, labels = drawn_world(60, 2, side=32)
    # Saved again under another label, and once more under the same.
    first, other = 0, int(np.flatnonzero(labels != labels[0])[0])
    noise = np.random.default_rng(0).integers(-2, 3, images[0].shape)
    images[other] = np.clip(images[first].astype(int) + noise, 0, 255)
    probes = ProbeSet(images[:5], labels[:5])
    found = check_data((images, labels), probes=probes)
    assert found.conflicts == ((f"image {first}", f"image {other}"),)
    assert {f"image {k}" for k in range(5)} <= {name for name, _ in found.leaks}
    assert "under two labels" in str(found)
    assert "Take other probes" in str(found)
    unrelated = ProbeSet(*drawn_world(10, 99, side=32))
    assert check_data(drawn_world(60, 2, side=32), probes=unrelated).leaks == ()


def test_copies_in_one_class_are_told_and_do_not_count_as_knowledge() -> None:
    images, labels = drawn_world(40, 4)
    found = check_data((np.concatenate([images] * 5), np.concatenate([labels] * 5)))
    assert len(found.copies) == 40 * 10
    # With copies on both sides of the cross-validation every frame would tell its class.
    assert found.findings == ()


class TestBadInput:
    def test_one_class(self) -> None:
        found = check_data((drawn_world(20, 1)[0], np.zeros(20, int)))
        assert (found.status, found.reason) == (Status.CANNOT_SAY, "All images are of one class.")

    def test_two_images(self) -> None:
        found = check_data((drawn_world(2, 1)[0], np.array([0, 1])))
        assert found.status is Status.CANNOT_SAY
        assert "it takes 5 of each of two classes" in found.reason

    def test_without_labels(self) -> None:
        found = check_data(drawn_world(20, 1)[0])
        assert (found.status, found.reason) == (Status.CANNOT_SAY, "The images have no labels.")

    def test_several_classes_an_image(self) -> None:
        rows = np.random.default_rng(0).integers(0, 2, (20, 3))
        rows[0] = 1
        found = check_data((drawn_world(20, 1)[0], rows))
        assert found.reason == "The images have several classes each, or none."

    def test_images_of_one_colour(self) -> None:
        found = check_data((np.full((40, 32, 32, 3), 127, np.uint8), np.arange(40) % 2))
        assert found.findings == ()
        assert found.conflicts == ()

    @pytest.mark.parametrize("side", [1, 8, 15])
    def test_tiny_images(self, side: int) -> None:
        images = np.random.default_rng(0).integers(0, 256, (60, side, side, 3), dtype=np.uint8)
        assert check_data((images, np.arange(60) % 3)).findings == ()

    def test_a_class_of_three(self) -> None:
        images, labels = drawn_world(60, 1)
        labels[:3] = 2
        found = check_data((images, labels), class_names=["disc", "square", "odd"])
        assert "1 class with fewer than 5 images left out: odd." in found.gaps

    def test_files_that_cannot_be_read(self, folder: Path) -> None:
        (folder / "disc" / "broken.png").write_bytes(b"no image")
        found = check_data(folder)
        assert [name for name, _ in found.unreadable] == ["disc/broken.png"]
        assert "1 file cannot be read: disc/broken.png." in str(found)

    def test_nothing_that_can_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        with pytest.raises(ValueError, match="`dataset` must hold images. Received: none"):
            check_data(tmp_path)
        (tmp_path / "a" / "1.png").write_bytes(b"")
        with pytest.raises(ValueError, match="none of which can be read. a/1.png"):
            check_data(tmp_path)
        with pytest.raises(FileNotFoundError, match="not there"):
            check_data(tmp_path / "nowhere")

    def test_an_endless_stream_is_read_so_far(self) -> None:
        images, labels = drawn_world(40, 1)

        def endless() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
            while True:
                yield images, labels

        found = check_data(endless(), max_scan=60, max_images=30)
        assert (found.n_images, found.n_seen) == (30, 60)
        assert any("up to image 60" in gap for gap in found.gaps)


def test_the_sample_of_a_sorted_stream_is_fair() -> None:
    sampler = Sampler(100, 0)
    for value in range(1000):
        if sampler.wants():
            sampler.keep(value)
    assert len(sampler.taken) == 100
    assert 350 < np.mean(sampler.taken) < 650
    assert list(sampler.taken) == sorted(sampler.taken)


def test_probes_say_what_their_frames_tell(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["disc", "square"]
    ProbeSet.from_dataset(drawn_world(100, 1, "frame"), class_names=names)
    assert "The outer frame of the images tells the class: kappa" in capsys.readouterr().out
    ProbeSet.from_dataset(drawn_world(100, 1), class_names=names)
    told = capsys.readouterr().out
    assert "The outer frame of 100 images does not tell their class" in told
    assert len(told.splitlines()) == 1
    ProbeSet.from_dataset(drawn_world(100, 1, "frame"), class_names=names, verbose=False)
    assert capsys.readouterr().out == ""


def test_it_is_public() -> None:
    assert isinstance(check_data(drawn_world(20, 1, side=16)), keras_lime.DataCheck)
