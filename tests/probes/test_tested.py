"""What is stored beside the explained images: tested images, the model's other inputs, where outlines come from."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from keras_lime.probes import ProbeSet


def some_images(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, size=(count, 6, 5, 3), dtype=np.uint8)


LABELS = np.arange(12) % 3
MASKS = np.arange(12 * 30).reshape(12, 6, 5) % 7 == 0


class TestTested:
    def test_without_further_images(self) -> None:
        probes = ProbeSet(some_images(3))
        assert probes.tested is probes

    def test_explaining_some_of_all(self) -> None:
        everything = ProbeSet(some_images(12), LABELS, masks=MASKS, names=[f"n{i}" for i in range(12)])
        probes = everything.explaining(5)
        assert (len(probes), len(probes.tested)) == (5, 12)
        assert probes.labels is not None
        assert np.bincount(probes.labels).tolist() == [2, 2, 1] or sorted(np.bincount(probes.labels)) == [1, 2, 2]
        order = [everything.ids.index(one) for one in probes.tested.ids]
        assert everything.masks is not None
        assert probes.tested.masks is not None
        np.testing.assert_array_equal(probes.tested.masks, everything.masks[order])
        assert probes.names == tuple(everything.names[index] for index in order[:5])
        assert "5 ×" in repr(probes)
        assert "12 tested" in repr(probes)
        assert probes.explaining(5).ids == probes.ids

    def test_the_same_choice_as_from_the_data_set(self) -> None:
        chosen = ProbeSet.from_dataset((some_images(12), LABELS), num_probes=5, num_tested=12)
        assert ProbeSet(some_images(12), LABELS).explaining(5).ids == chosen.ids

    def test_masks_for_all_or_for_the_explained_ones(self) -> None:
        probes = ProbeSet(some_images(12), LABELS).explaining(5)
        for_all = probes.with_masks(MASKS)
        assert for_all.masks is not None
        np.testing.assert_array_equal(for_all.masks, MASKS[:5])
        assert len(for_all.tested) == 12
        for_some = probes.with_masks(MASKS[:5])
        assert for_some.tested is for_some
        assert len(for_some) == 5
        with pytest.raises(ValueError, match="`masks` must have the shape"):
            probes.with_masks(MASKS[:7])

    def test_arrays_stay_read_only(self) -> None:
        probes = ProbeSet(some_images(12), LABELS, inputs={"age": LABELS}).explaining(5)
        for array in (probes.images, probes.labels, probes.tested.images, probes.inputs["age"]):
            assert array is not None
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1


class TestInputs:
    def test_they_are_checked_copies(self) -> None:
        ages = np.arange(3, dtype=np.float64)
        probes = ProbeSet(some_images(3), inputs={"age": ages, 2: np.zeros((3, 4, 4, 1), np.uint8)})
        ages[:] = 7
        assert probes.inputs["age"].tolist() == [0, 1, 2]
        assert probes.inputs["age"].dtype == np.float32
        assert probes.inputs[2].dtype == np.uint8
        assert "inputs age, 2" in repr(probes)
        with pytest.raises(TypeError):
            probes.inputs["age"] = ages  # type: ignore[index]

    def test_they_are_part_of_what_a_probe_is(self) -> None:
        images = np.repeat(some_images(1), 2, axis=0)
        probes = ProbeSet(images, inputs={"age": [30, 40]})
        assert len(set(probes.ids)) == 2
        with pytest.raises(ValueError, match="images 0 and 1 are equal"):
            ProbeSet(images, inputs={"age": [30, 30]})

    def test_without_any_ids_are_those_of_the_images(self) -> None:
        assert ProbeSet(some_images(3), inputs={}).ids == ProbeSet(some_images(3)).ids

    @pytest.mark.parametrize(
        ("inputs", "error", "remedy"),
        [
            ([1, 2, 3], TypeError, '{"age": ages}'),
            ({"age": [1, 2]}, ValueError, "one row for each of the 3 images.*'age'"),
            ({"age": 5}, ValueError, r"one row for each.*shape=\(\)"),
            ({"age": [1, 2, np.inf]}, ValueError, "finite.*'age'"),
            ({"age": ["a", "b", "c"]}, TypeError, r"`inputs\['age'\]` must hold real numbers"),
            ({1.5: [1, 2, 3]}, TypeError, "dictionary from the name"),
        ],
    )
    def test_refused(self, inputs: Any, error: type[Exception], remedy: str) -> None:
        with pytest.raises(error, match=remedy):
            ProbeSet(some_images(3), inputs=inputs)


class TestOutlines:
    def test_they_are_needed_with_labels_and_without_masks(self) -> None:
        assert ProbeSet(some_images(12), LABELS).needs_outlines
        assert not ProbeSet(some_images(12), LABELS, outlines=None).needs_outlines
        assert not ProbeSet(some_images(12), LABELS, masks=MASKS).needs_outlines
        assert not ProbeSet(some_images(12)).needs_outlines

    def test_a_function_is_kept(self) -> None:
        def outline(image: Any) -> Any:
            return image[..., 0] > 0

        probes = ProbeSet.from_dataset((some_images(12), LABELS), num_probes=3, outlines=outline)
        assert probes.outlines is outline
        assert probes.tested.outlines is outline
        assert probes.masks is None

    @pytest.mark.parametrize("outlines", ["guess", True, np.zeros((6, 5))])
    def test_refused(self, outlines: Any) -> None:
        with pytest.raises(ValueError, match="`outlines` must be"):
            ProbeSet(some_images(3), outlines=outlines)


class TestHints:
    def test_few_probes_and_classes_without_names(self, capsys: pytest.CaptureFixture[str]) -> None:
        few = ProbeSet.from_dataset((some_images(12), LABELS), num_tested=12)
        printed = capsys.readouterr().out
        assert printed.startswith("12 tested images can give no verdict on shortcuts; it takes 30, and 60 do well.")
        assert "Pass class_names=[...]" in printed
        assert printed.strip() == " ".join(few.hints())

    def test_nothing_to_say(self, capsys: pytest.CaptureFixture[str]) -> None:
        probes = ProbeSet.from_dataset((some_images(30), np.arange(30) % 3), class_names=["a", "b", "c"])
        assert probes.hints() == []
        ProbeSet.from_dataset((some_images(12), LABELS), num_probes=4, verbose=False)
        assert capsys.readouterr().out.startswith("The outer frame of 30 images does not tell their class")

    def test_without_labels_names_are_not_missed(self) -> None:
        assert ProbeSet(some_images(12)).hints() == []
        assert "1 tested image can give no verdict on shortcuts; it takes 8" in ProbeSet(some_images(1)).hints()[0]
