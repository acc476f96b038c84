"""The drawn signs are what they claim to be, and the stop-sign examples run from any folder."""

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops
from skimage.measure import label
from skimage.morphology import dilation, disk, erosion

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "studies"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

import cure_stop_signs
import stop_signs
import traffic_signs
from cures import __main__ as cures
from traffic_signs import CLASSES, SCENES, draw_signs


@pytest.fixture
def _fresh_photos() -> Iterator[None]:
    traffic_signs._photos.cache_clear()
    yield
    traffic_signs._photos.cache_clear()


def test_drawing_twice_gives_the_same_pixels() -> None:
    first, second = (hashlib.sha256(draw_signs(20, 0.5, seed=3).images.tobytes()).hexdigest() for _ in range(2))
    assert first == second


def test_a_subset_is_drawn_like_the_whole() -> None:
    whole, part = draw_signs(20, 0.5), draw_signs([17, 4, 4], 0.5)
    for name in ("images", "labels", "scenes", "masks"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[[17, 4, 4]])


def test_images_differ_by_index_seed_and_split() -> None:
    images = [
        draw_signs([index], 0.5, seed=seed, split="train" if train else "test").images.tobytes()
        for index in (0, 5)
        for seed in (0, 1)
        for train in (True, False)
    ]
    assert len(set(images)) == 8


def test_shapes_types_and_balanced_classes() -> None:
    drawn = draw_signs(10, 0.2, size=48)
    assert drawn.images.shape == (10, 48, 48, 3)
    assert drawn.images.dtype == np.uint8
    assert drawn.masks.shape == (10, 48, 48)
    assert drawn.masks.dtype == bool
    np.testing.assert_array_equal(drawn.labels, [0, 1, 2, 3, 4] * 2)


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.95, 1.0])
def test_correlation_is_the_share_of_own_scenes(correlation: float) -> None:
    n = 1000
    drawn = draw_signs(n, correlation, size=8)
    deviation = np.sqrt(correlation * (1 - correlation) / n)
    assert abs((drawn.scenes == drawn.labels).mean() - correlation) <= 4 * deviation
    # Other scenes than the own one are all as likely: by how many places they are off is uniform over 1..4.
    off = (drawn.scenes - drawn.labels)[drawn.scenes != drawn.labels] % len(SCENES)
    if len(off):
        counts = np.bincount(off, minlength=5)[1:]
        assert np.abs(counts - len(off) / 4).max() <= 4 * np.sqrt(len(off) * 0.25 * 0.75)


def test_given_scenes_change_the_background_and_leave_the_sign() -> None:
    as_drawn, swapped = draw_signs(5, 1.0), draw_signs(5, 1.0, scenes=[1, 2, 3, 4, 0])
    np.testing.assert_array_equal(swapped.scenes, [1, 2, 3, 4, 0])
    np.testing.assert_array_equal(swapped.masks, as_drawn.masks)
    assert (swapped.images != as_drawn.images)[~as_drawn.masks].mean() > 0.9


def test_masks_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the colours of all signs inverted, the pictures change on the masks and nowhere else."""
    drawn = draw_signs(50, 0.2)
    template = traffic_signs._template

    def inverted(kind: int, variant: int, side: int) -> Image.Image:
        *colours, alpha = template(kind, variant, side).split()
        return Image.merge("RGBA", [*(ImageChops.invert(colour) for colour in colours), alpha])

    monkeypatch.setattr(traffic_signs, "_template", inverted)
    other = draw_signs(50, 0.2)
    np.testing.assert_array_equal(other.masks, drawn.masks)
    change = np.abs(other.images.astype(int) - drawn.images).max(axis=-1)
    for difference, mask in zip(change, drawn.masks, strict=True):
        # One pixel of partial cover, then the lens: its blur reaches three pixels further.
        assert not difference[~dilation(mask, disk(4))].any()
        assert (difference[erosion(mask, disk(1))] > 10).mean() > 0.9


def test_a_mask_is_one_piece_inside_the_picture_of_the_planned_size() -> None:
    drawn = draw_signs(200, 0.2)
    areas = drawn.masks.mean(axis=(1, 2))
    assert abs(areas.mean() - 0.085) < 0.005
    assert abs(draw_signs(200, 0.2, sign_size=(0.5, 0.6)).masks.mean() - 0.23) < 0.03
    assert not drawn.masks[:, [0, -1]].any()
    assert not drawn.masks[:, :, [0, -1]].any()
    assert all(label(mask).max() == 1 for mask in drawn.masks)
    by_class = [areas[drawn.labels == kind].mean() for kind in range(len(CLASSES))]
    assert max(by_class) / min(by_class) < 1.25, "the share by chance must not tell the classes apart"


@pytest.mark.usefixtures("_fresh_photos")
def test_train_and_test_backgrounds_share_no_pixel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = np.zeros((320, 800, 3), np.uint8)
    photo[:, 560:] = 255
    for scene in SCENES:
        Image.fromarray(photo).save(tmp_path / f"{scene}_0.jpg", quality=100)
    monkeypatch.setattr(traffic_signs, "PHOTOS", tmp_path)
    rng = np.random.default_rng(0)
    for _ in range(100):
        assert traffic_signs._background(0, "train", 64, rng).max() == 0
        assert traffic_signs._background(0, "test", 64, rng).min() == 255


@pytest.mark.parametrize(
    ("arguments", "message"), [({"correlation": 1.1}, "correlation=1.1"), ({"scenes": [0]}, "1 for 2 images")]
)
def test_bad_arguments_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_signs(2, **{"correlation": 0.5, **arguments})  # type: ignore[arg-type]


def test_every_photograph_is_attributed() -> None:
    table = (traffic_signs.PHOTOS / "ATTRIBUTION.md").read_text(encoding="utf-8")
    photos = sorted(traffic_signs.PHOTOS.glob("*.jpg"))
    assert {photo.stem.split("_")[0] for photo in photos} == set(SCENES)
    assert all(photo.stem in table for photo in photos)


@pytest.mark.parametrize(
    ("options", "n_rows"), [([], 5), pytest.param(["--no-masks"], 3, marks=pytest.mark.slow)], ids=["masks", "no masks"]
)
def test_stop_signs_runs_from_any_folder(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    n_rows: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    stop_signs.main(["--quick", "--epochs", "1", *options])
    # Keras' own TensorBoard callback needs TensorFlow, under every backend.
    parts = ("lime", "train", "validation") if importlib.util.find_spec("tensorflow") else ("lime",)
    for run in ("independent", "shortcut"):
        for part in parts:
            assert list((tmp_path / "logs" / run / part).glob("events.out.tfevents.*")), f"{run}/{part}"
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines() if line.startswith(("accuracy", "share", "..."))]
    assert len(rows) == n_rows
    assert all(-1 <= float(value) <= 1 for row in rows for value in row[-2:])
    assert ("estimated outlines" in printed) == bool(options)
    assert "tensorboard --logdir logs" in printed


@pytest.mark.slow
def test_the_cure_runs_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cure_stop_signs.main(["--quick", "--epochs", "1"])
    printed = capsys.readouterr().out
    assert "predictions that change with the background" in printed
    assert "40 signs in front of other scenes: accuracy" in printed
    for run in ("trained", "cured"):
        assert list((tmp_path / "logs" / run / "lime").glob("events.out.tfevents.*")), run


@pytest.mark.slow
def test_the_study_of_cures_runs_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cures.main(["--quick", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "Receipts that say what is true" in printed
    for name in ("as trained", "afr", "finetune 50 masks", "head 50 masks", "new 50 masks"):
        assert f"| signs | 1 | {name} | 1 | " in printed
    outcomes = (tmp_path / "outcomes.jsonl").read_text()
    # What is done is not done again.
    cures.main(["--quick", "--out", str(tmp_path)])
    assert (tmp_path / "outcomes.jsonl").read_text() == outcomes
    assert capsys.readouterr().out.strip() == (tmp_path / "table.md").read_text().strip()
