"""The routes behind the Shortcuts page, on what the callback itself has logged, under both loaders."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from werkzeug import test

from keras_lime import ProbeSet
from keras_lime.core.diagnostics import SegmentDiagnostic, TargetDiagnostic
from tests.support.serving import LOADERS, PREFIX, binary, client_of, provider_of
from tests.support.synthetic_logs import Settings, write_run
from tests.support.worlds import background_reader, corner_reader, object_reader, squares
from tests.training.test_callback_shortcut import follow, probes

RUNS = ("background", "object", "corner", "many", "estimated")


@pytest.fixture(scope="module")
def log_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log_dir = tmp_path_factory.mktemp("logs")
    follow(
        background_reader(),
        log_dir / "background",
        targets=("label", "predicted"),
        second_baseline="grey",
        baseline="mean",
    )
    follow(object_reader(), log_dir / "object", baseline="mean")
    follow(corner_reader(), log_dir / "corner", probe_set=probes(masks=None, outlines=None))
    follow(object_reader(), log_dir / "estimated", probe_set=probes(masks=None))
    images, labels, masks = squares(44, n_classes=2)
    follow(object_reader(), log_dir / "many", probe_set=ProbeSet(images[:42], labels[:42], masks=masks[:42]))
    write_run(log_dir / "old" / "lime", Settings(older=True, n_probes=2, epochs=3, n_segments=9, size=16))
    return log_dir


@pytest.fixture(scope="module", params=LOADERS)
def client(request: pytest.FixtureRequest, log_dir: Path) -> Iterator[test.Client]:
    newest = {**{f"{run}/lime": 2 for run in RUNS}, "old/lime": 2}
    with provider_of(request.param, log_dir, newest) as provider:
        yield client_of(provider)


def manifest(client: test.Client, run: str) -> dict[str, Any]:
    response = client.get(f"{PREFIX}/manifest")
    assert response.json is not None
    found: dict[str, Any] = next(each["manifest"] for each in response.json["runs"] if each["run"] == run)
    return found


def test_the_summary_holds_the_tests_and_the_words_of_the_alarm(client: test.Client) -> None:
    arrays, meta = binary(client, "summary", run="background/lime")
    np.testing.assert_array_equal(arrays["swap_flip"], [1, 1, 1])
    np.testing.assert_array_equal(arrays["class_swap_flip"], np.ones((3, 4)))
    np.testing.assert_array_equal(arrays["swap_flip_stderr"], np.full(3, 0.5**0.5 / 34, np.float32))
    np.testing.assert_array_equal(arrays["shortcut_alarm"], [0, 1, 1])
    np.testing.assert_array_equal(arrays["shortcut_counted"], [1, 1, 1])
    np.testing.assert_allclose(arrays["train_accuracy"], 0.9)
    np.testing.assert_allclose(arrays["accuracy_needed"], 0.5)
    np.testing.assert_array_equal(arrays["swap_chance"], [0.25] * 3)
    assert "occlusion_drop" not in arrays
    alarms = meta["shortcut"]["alarms"]
    assert [(alarm["step"], alarm["began"]) for alarm in alarms] == [(1, 1), (2, 1)]
    assert "reads the background" in alarms[0]["words"]
    assert alarms[0]["readings"][0]["test"] == "swap"
    assert meta["shortcut"]["unmeasured"] == []
    assert meta["shortcut"]["tests"][2][0] == {
        "test": "swap",
        "title": "objects on other backgrounds",
        "status": "alarm",
    }
    assert [test["test"] for test in meta["shortcut"]["tests"][2]] == ["swap", "markers"]
    # 32 probes: 32 samples each for two baselines; background, object, 4 backgrounds of either kind; 10 for markers.
    np.testing.assert_array_equal(arrays["passes"], [32 * (2 * 32 + 2 + 8 + 10)] * 3)
    assert "epoch_share" not in arrays
    arrays, meta = binary(client, "summary", run="object/lime")
    assert not meta["shortcut"]["alarms"]
    assert np.isfinite(arrays["object_share_stderr"]).all()
    assert np.isfinite(arrays["class_object_share_stderr"]).all()


def test_estimated_outlines_are_served_apart_from_masks(client: test.Client) -> None:
    probe = probes().ids[0]
    arrays, _ = binary(client, "segments", run="estimated/lime", probe=probe)
    assert "object_mask" not in arrays
    mask = probes().masks[0]  # type: ignore[index]
    assert (arrays["estimated_mask"].astype(bool) & mask).sum() > 0.9 * mask.sum()
    arrays, _ = binary(client, "segments", run="object/lime", probe=probe)
    assert "estimated_mask" not in arrays


def test_without_masks_the_corners_are_there_and_the_reason(client: test.Client) -> None:
    arrays, meta = binary(client, "summary", run="corner/lime")
    assert arrays["occlusion_drop"].shape == (3, 8)
    assert arrays["class_occlusion_drop"].shape == (3, 4, 8)
    assert np.isfinite(arrays["p_frame"]).all()
    assert int(arrays["occlusion_drop"][2, :4].argmax()) == 3
    assert "swap_flip" not in arrays
    assert "no object masks" in meta["shortcut"]["unmeasured"][0]
    swap, _, hidden = meta["shortcut"]["tests"][2]
    assert (swap["test"], swap["status"]) == ("swap", "not tested")
    assert "no object masks" in swap["reason"]
    assert swap["remedy"].startswith("Give `ProbeSet`")
    assert (hidden["test"], hidden["status"]) == ("occlusion", "alarm")
    assert manifest(client, "corner/lime")["shortcut"]["occlusion_threshold"] == 0.05


def test_an_older_log_has_none_of_it(client: test.Client) -> None:
    arrays, meta = binary(client, "summary", run="old/lime")
    assert not {"swap_flip", "shortcut_alarm", "occlusion_drop", "object_share_stderr"} & set(arrays)
    assert meta["shortcut"] == {
        "alarms": [],
        "statuses": [None] * 3,
        "tests": [[]] * 3,
        "unmeasured": [],
        "cross_check": None,
    }
    assert "passes" not in arrays
    arrays, meta = binary(client, "swaps", run="old/lime")
    assert (arrays, meta) == ({}, {"step": None, "pairs": [], "steps": [], "notices": []})


def test_swapped_pictures_are_those_of_the_newest_step_at_most_the_asked_one(client: test.Client) -> None:
    arrays, meta = binary(client, "swaps", run="background/lime")
    assert meta["step"] == meta["steps"][-1]
    for step in (0, 1, 2, 99):
        _, asked = binary(client, "swaps", run="background/lime", step=str(step))
        assert asked["step"] == max(each for each in meta["steps"] if each <= step)
    _, before = binary(client, "swaps", run="background/lime", step="-1")
    assert (before["step"], before["pairs"]) == (None, [])
    names = manifest(client, "background/lime")["class_names"]
    assert len(meta["pairs"]) == 4
    for index, pair in enumerate(meta["pairs"]):
        assert Image.open(BytesIO(arrays[f"picture_{index}"].tobytes())).size == (32, 32)
        assert names[pair["before"]] != names[pair["after"]]


def test_where_no_prediction_changes_there_is_an_empty_list(client: test.Client) -> None:
    arrays, meta = binary(client, "swaps", run="object/lime")
    assert not arrays
    assert meta["pairs"] == []
    assert meta["step"] is not None


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 400, "`run` must be given once"),
        ("?run=nowhere", 404, "no run named 'nowhere'"),
        ("?run=object/lime&step=one", 400, "`step` must be a whole number"),
    ],
)
def test_wrong_requests_for_swaps(client: test.Client, query: str, status: int, words: str) -> None:
    response = client.get(f"{PREFIX}/swaps{query}")
    assert response.status_code == status
    assert response.json is not None
    assert words in response.json["error"]


def test_a_series_has_flags_caveats_and_the_agreement_with_the_second_baseline(client: test.Client) -> None:
    found = manifest(client, "background/lime")
    probe = found["probes"][0]["id"]
    arrays, _ = binary(client, "series", run="background/lime", probe=probe)
    assert arrays["caveats"].shape == arrays["agreement"].shape == arrays["targets"].shape
    assert "gradient_agreement" not in arrays
    # Plain ground looks the same hidden as shown.
    assert (arrays["flags"] & SegmentDiagnostic.BLIND).any()
    assert (arrays["caveats"][arrays["targets"] >= 0] & TargetDiagnostic.BLIND).all()
    assert "Cannot be judged" in found["flags"][str(int(SegmentDiagnostic.BLIND))]
    assert str(int(TargetDiagnostic.POOR_FIT)) in found["caveats"]


def test_groups_come_with_twenty_probes_of_a_class(client: test.Client) -> None:
    ids = [probe["id"] for probe in manifest(client, "many/lime")["probes"]]
    groups = [binary(client, "series", run="many/lime", probe=probe)[0]["group"] for probe in ids]
    stacked = np.stack(groups)
    assert stacked.shape == (42, 3)
    assert (stacked >= 0).all()
    for label in (0, 1):
        counts = np.bincount(stacked[label::2, 2])
        assert (np.diff(counts) <= 0).all()
    few = manifest(client, "object/lime")["probes"][0]["id"]
    assert "group" not in binary(client, "series", run="object/lime", probe=few)[0]
