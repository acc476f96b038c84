"""Suspicious words are proved by pasting: by what a model reads, whatever its evidence looks like."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import pytest

from keras_lime import audit
from keras_lime.auditing.summary import summarise
from keras_lime.auditing.visual_words.proof import LEAST_AROUND, LEAST_PULL, PASSES_A_CLASS, prove_words
from keras_lime.auditing.visual_words.vocabulary import learn_vocabulary
from keras_lime.auditing.visual_words.words import find_words
from keras_lime.core.display import Display
from tests.support.audits import FAST
from tests.support.planted_audits import Planted, prover, write_audit
from tests.support.worlds import Reader, background_reader, object_reader, squares

SETTINGS: dict[str, Any] = {"verbose": 0, "report": False, "output": "softmax", "targets": "predicted", **FAST}


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("planted", [Planted(), Planted(images=96, classes=4, pixels=8, wrong=3)])
def test_only_what_pulls_the_prediction_is_accused(tmp_path: Path, planted: Planted, masks: bool) -> None:
    """The rows of both audits say the same: that all evidence is around the object."""
    planted = replace(planted, masks=masks)
    folder = write_audit(tmp_path, planted)
    readers: tuple[tuple[Literal["scene", "patch"], bool], ...] = (("scene", False), ("patch", True))
    for reads, alone in readers:
        scene = summarise(folder, prove=prover(folder, planted, reads=reads))
        assert [entry["status"] for entry in scene["classes"]] == ["alarm"] * planted.classes
        assert scene["suspicious"] == planted.classes
        for entry in scene["classes"]:
            word = entry["words"][0]
            assert (word["proof"], word["suspicious"]) == ("proved", True)
            assert word["around"] - word["around_random"] >= LEAST_AROUND
            # A scene here falls into a dozen words: how much of it there is counts for one model, for the other any.
            pulls = word["pull"] - word["pull_random"] >= LEAST_PULL
            assert pulls or not alone
            assert pulls or word["proof_reason"].startswith("proved with all that is around the objects")
        assert any("Proved by pasting: around the objects of other classes" in each for each in scene["findings"])

    clean = summarise(folder, prove=prover(folder, planted, reads="object"))
    assert [entry["status"] for entry in clean["classes"]] == ["passed"] * planted.classes
    assert (clean["suspicious"], clean["classes"][0]["surroundings"]) == (0, 0)
    tested = [word for entry in clean["classes"] for word in entry["words"] if word["proof"] is not None]
    assert {(word["proof"], word["suspicious"]) for word in tested if word["proof"] != "not tested"} == {
        ("not proved", False)
    }
    assert not any(word["suspicious"] for word in tested)
    assert all(abs(word["around"]) < 0.02 for word in tested if word["around"] is not None)
    assert any(each.startswith("Not proved, and so no accusation: there is evidence") for each in clean["findings"])


def test_without_the_model_nothing_is_said_for_sure(tmp_path: Path) -> None:
    summary = summarise(write_audit(tmp_path))
    assert {entry["status"] for entry in summary["classes"]} == {"cannot say"}
    assert summary["classes"][0]["reason"] == (
        "surroundings look suspicious and were not tested by pasting: the model was not at hand"
    )
    assert {word["proof"] for word in summary["classes"][0]["words"] if word["suspicious"]} == {"not tested"}


def test_passes_are_bounded_and_results_the_same(tmp_path: Path) -> None:
    planted = Planted(images=120, classes=3, roughness=8.0)
    folder = write_audit(tmp_path, planted)
    passes: list[int] = []
    inner = prover(folder, planted)
    scorer = inner.keywords["scorer"]  # type: ignore[attr-defined]

    class Counted:
        def score_images(self, images: Any) -> Any:
            taken = list(images)
            passes.append(len(taken))
            return scorer.score_images(taken)

    results = [
        find_words(
            folder,
            prove=lambda each, words: prove_words(
                folder, each, words, display=Display(0, 255), image_shape=(36, 36, 3), scorer=Counted()
            ),
        ).rows
        for _ in range(2)
    ]
    assert results[0] == results[1]
    assert 0 < sum(passes[: len(passes) // 2]) <= 3 * PASSES_A_CLASS
    assert PASSES_A_CLASS <= 256


@pytest.mark.parametrize(
    ("display", "shape"), [(Display(0, 255, lambda image: image), (36, 36, 3)), (Display(0, 1), (36, 36, 4))]
)
def test_pictures_that_do_not_hold_the_model_input_are_not_tested(
    tmp_path: Path, display: Display, shape: tuple[int, ...]
) -> None:
    folder = write_audit(tmp_path, Planted(images=24))
    vocabulary = learn_vocabulary(folder, 24)
    assert vocabulary is not None
    found = prove_words(folder, [(0, 1)], vocabulary, display=display, image_shape=shape, scorer=background_reader())
    assert found[0, 1].status == "not tested"
    assert found[0, 1].reason == "model input cannot be made of the stored images again"


def test_two_images_a_class_are_too_few(tmp_path: Path) -> None:
    planted = Planted(images=6)
    folder = write_audit(tmp_path, planted)
    vocabulary = learn_vocabulary(folder, 24)
    assert vocabulary is not None
    (found,) = prover(folder, planted)([(0, 0)], vocabulary).values()
    assert (found.status, found.word) == ("not tested", None)
    assert found.reason == "too few images have it, or too few of other classes could get it"


@pytest.mark.parametrize(
    "display",
    [Display(-1, 1), Display(0, 255), Display(-123.7, 131)],
    ids=["-1..1", "0..255", "stretched"],
)
@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4, 1), (5, 4)])
def test_model_input_is_made_of_a_picture_again(display: Display, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    image = rng.uniform(display.low, display.high, shape).astype(np.float32)
    picture = np.rint(255 * display.picture(image)).astype(np.uint8)
    again = display.model_input(picture, shape)
    assert again.dtype == np.float32
    np.testing.assert_allclose(again, image, atol=(display.high - display.low) / 500)


def test_an_audit_proves_with_its_model_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    images, labels, _ = squares(96)
    # The audit's rows accuse both readers, where class and scene are one: the grid's cells hold object and scene.
    for reader, accused in ((background_reader(), True), (object_reader(), False)):
        out = tmp_path / str(accused)

        def model(batch: Any, reader: Reader = reader) -> Any:
            return reader(batch)

        first = audit(model, (images, labels), out, **SETTINGS)
        proofs = {word["proof"] for entry in first.summary["classes"] for word in entry["words"]}
        assert ("proved" in proofs) is accused
        files = {name: (out / name).read_bytes() for name in ("summary.json", "words.parquet")}
        # Killed after the words and before the summary, or before both.
        (out / "summary.json").unlink()
        audit(model, (images, labels), out, **SETTINGS)
        (out / "summary.json").unlink()
        (out / "words.parquet").unlink()
        audit(model, (images, labels), out, **SETTINGS)
        assert {name: (out / name).read_bytes() for name in files} == files


def test_other_inputs_are_not_stored_and_so_nothing_is_tested(tmp_path: Path) -> None:
    images, labels, _ = squares(96)
    image, age = keras.Input((32, 32, 3), name="image"), keras.Input((1,), name="age")
    reading = keras.layers.Lambda(lambda each: keras.ops.mean(each[..., 0], axis=(1, 2)) / 50)(image)
    centres = keras.ops.arange(4, dtype="float32") + 0.7
    near = keras.layers.Lambda(lambda each: -10 * keras.ops.square(each[:, None] - centres[None]))(reading)
    model = keras.Model([image, age], keras.layers.Softmax()(near))
    data = [
        ({"image": images[i : i + 16], "age": np.ones((16, 1), np.float32)}, labels[i : i + 16])
        for i in range(0, 96, 16)
    ]
    found = audit(model, data, tmp_path, **{**SETTINGS, "output": "auto"})
    reasons = {entry["reason"] for entry in found.summary["classes"] if entry["status"] != "passed"}
    assert reasons == {
        "surroundings look suspicious and were not tested by pasting: audits do not store what the model takes beside "
        "the image"
    }
    assert json.loads((tmp_path / "summary.json").read_text("utf-8")) == found.summary
