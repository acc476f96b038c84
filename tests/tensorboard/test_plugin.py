import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from werkzeug import test

from tests.support.damaged_logs import NASTY, write_ragged, write_unreadable
from tests.support.serving import LOADERS, PREFIX, binary, client_of, provider_of
from tests.support.synthetic_logs import (
    Settings,
    SyntheticProbe,
    make_probes,
    manifest_parts,
    png,
    result_arrays,
    summary_of,
    write_run,
)

PLAIN = Settings(n_probes=3, epochs=5, n_segments=12, n_targets=3, size=20, seed=1)
BARE = Settings(n_probes=2, epochs=3, n_segments=9, size=16, stderr=False, masks=False)
ODD = Settings(n_probes=len(NASTY), epochs=2, n_segments=9, size=16, names=NASTY, ids=NASTY, class_names=NASTY)
ODD_RUNS = ("<script>", 'it\'s "quoted"', "two  words", "🛑 &probe=x", "per%20cent+#?")


@pytest.fixture(scope="module", params=LOADERS)
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[test.Client]:
    """TensorBoard's own application with the plugin, on a log directory with runs of every kind."""
    log_dir = tmp_path_factory.mktemp("logs")
    write_run(log_dir / "plain" / "lime", PLAIN)
    write_run(log_dir / "bare", BARE)
    for run in ODD_RUNS:
        write_run(log_dir / run, ODD)
    write_unreadable(log_dir / "unreadable")
    write_ragged(log_dir / "ragged")
    newest = {"plain/lime": 4, "bare": 2, "unreadable": 0, "ragged": 2, **dict.fromkeys(ODD_RUNS, 1)}
    with provider_of(request.param, log_dir, newest) as provider:
        yield client_of(provider)


def manifests(client: test.Client) -> dict[str, Any]:
    response = client.get(f"{PREFIX}/manifest")
    assert response.status_code == 200
    assert response.json is not None
    return {entry["run"]: entry for entry in response.json["runs"]}


def test_manifest_lists_runs_and_probes(client: test.Client) -> None:
    runs = manifests(client)
    assert sorted(runs) == sorted(["plain/lime", "bare", "unreadable", "ragged", *ODD_RUNS])
    entry = runs["plain/lime"]
    expected = json.loads(manifest_parts(PLAIN, make_probes(PLAIN))[0])
    assert {name: expected[name] for name in entry["manifest"]} == entry["manifest"]
    assert (entry["notices"], entry["steps_hint"], entry["newest_step"]) == ([], 5, 4)


def test_a_run_without_a_manifest_says_so(client: test.Client) -> None:
    entry = manifests(client)["ragged"]
    assert entry["manifest"] is None
    assert entry["notices"] == ["This run has no readable manifest, so its probes cannot be listed."]
    assert entry["newest_step"] == 2


def test_an_older_manifest_stands_in_for_a_newer_version(client: test.Client) -> None:
    entry = manifests(client)["unreadable"]
    assert len(entry["manifest"]["probes"]) == 1
    assert "version 2" in entry["notices"][0]
    assert entry["notices"][1] == "1 of 1 probes have no explanation yet."


def test_series_stacks_every_epoch(client: test.Client) -> None:
    probe = make_probes(PLAIN)[1]
    arrays, meta = binary(client, "series", run="plain/lime", probe=probe.id)
    assert meta == {"notices": []}
    results = [result_arrays(PLAIN, probe, epoch) for epoch in range(5)]
    np.testing.assert_array_equal(arrays["steps"], range(5))
    assert arrays["wall_times"].dtype == np.float64
    assert arrays["stderr"].dtype == np.float32
    for name in results[0][1]:
        np.testing.assert_array_equal(arrays[name], np.stack([expected[name] for _, expected in results]))
    np.testing.assert_array_equal(arrays["predicted"], [header["predicted"] for header, _ in results])
    np.testing.assert_array_equal(
        arrays["predicted_value"], np.array([header["predicted_value"] for header, _ in results], np.float32)
    )


def test_series_of_the_newest_step_alone(client: test.Client) -> None:
    probe = make_probes(PLAIN)[0]
    whole, _ = binary(client, "series", run="plain/lime", probe=probe.id, newest="0")
    newest, _ = binary(client, "series", run="plain/lime", probe=probe.id, newest="1")
    assert newest["steps"].tolist() == [4]
    np.testing.assert_array_equal(newest["coef"][0], whole["coef"][-1])


def test_absent_arrays_are_absent(client: test.Client) -> None:
    probe = make_probes(BARE)[0].id
    series, _ = binary(client, "series", run="bare", probe=probe)
    assert not {"stderr", "object_share"} & set(series)
    segments, _ = binary(client, "segments", run="bare", probe=probe)
    assert list(segments) == ["labels"]
    summary, _ = binary(client, "summary", run="bare")
    assert np.isnan(summary["object_share"]).all()
    assert manifests(client)["bare"]["manifest"]["probes"][0]["chance"] is None


def test_ragged_targets_are_padded_and_other_superpixels_left_out(client: test.Client) -> None:
    arrays, meta = binary(client, "series", run="ragged", probe="p")
    assert arrays["steps"].tolist() == [1, 2]
    assert arrays["targets"].tolist() == [[1, 4], [4, -1]]
    assert arrays["predicted"].tolist() == [-1, -1]
    np.testing.assert_array_equal(arrays["coef"], [np.ones((2, 4)), [[2] * 4, [np.nan] * 4]])
    np.testing.assert_array_equal(
        arrays["stderr"], [np.full((2, 4), np.float32(np.float16(0.1))), np.full((2, 4), np.nan)]
    )
    assert meta["notices"] == ["1 step left out: an earlier session cut this image in another number of superpixels."]


def test_summaries_align_their_classes(client: test.Client) -> None:
    arrays, _ = binary(client, "summary", run="ragged")
    assert arrays["steps"].tolist() == [0, 2]
    assert arrays["class_ids"].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(arrays["class_r2"], [[0.25, np.nan, 0.75], [0.25, 0.5, np.nan]])
    np.testing.assert_array_equal(arrays["r2"], [0, 2])
    assert np.isnan(arrays["class_chance"]).all()


def test_summary_stacks_every_epoch(client: test.Client) -> None:
    arrays, _ = binary(client, "summary", run="plain/lime")
    probes = make_probes(PLAIN)
    expected = [summary_of(PLAIN, probes, epoch) for epoch in range(5)]
    for name in expected[0]:
        if name != "class_ids":
            np.testing.assert_array_equal(arrays[name], np.stack([step[name] for step in expected]))


def test_segments_and_picture(client: test.Client) -> None:
    probe = make_probes(PLAIN)[2]
    arrays, _ = binary(client, "segments", run="plain/lime", probe=probe.id)
    assert {name: array.dtype.name for name, array in arrays.items()} == {
        "labels": "uint16",
        "object_mask": "uint8",
        "object_fraction": "float32",
    }
    np.testing.assert_array_equal(arrays["labels"], probe.segments)
    np.testing.assert_array_equal(arrays["object_mask"], probe.object_mask)
    np.testing.assert_array_equal(arrays["object_fraction"], probe.object_fraction)
    response = client.get(f"{PREFIX}/picture", query_string={"run": "plain/lime", "probe": probe.id})
    assert response.headers["Content-Type"] == "image/png"
    assert response.data == png(probe.picture)


@pytest.mark.parametrize("run", ODD_RUNS)
def test_any_name_works(client: test.Client, run: str) -> None:
    entry = manifests(client)[run]["manifest"]
    assert [probe["name"] for probe in entry["probes"]] == list(NASTY)
    assert entry["class_names"] == list(NASTY)
    probes: dict[str, SyntheticProbe] = {probe.id: probe for probe in make_probes(ODD)}
    for name in NASTY:
        assert binary(client, "series", run=run, probe=name)[0]["steps"].tolist() == [0, 1]
        np.testing.assert_array_equal(
            binary(client, "segments", run=run, probe=name)[0]["labels"], probes[name].segments
        )


def test_unreadable_records_are_skipped_with_a_notice(client: test.Client) -> None:
    arrays, meta = binary(client, "series", run="unreadable", probe="p")
    assert arrays["steps"].tolist() == [0, 1, 5]
    assert len(meta["notices"]) == 2
    assert meta["notices"][0].startswith("2 steps of keras_lime/result/p left out: This record has schema version 2")
    assert meta["notices"][1].startswith("1 step of keras_lime/result/p left out: The result record is cut off")
    arrays, meta = binary(client, "series", run="unreadable", probe="newer")
    assert (arrays["coef"].shape, len(meta["notices"])) == ((0, 0, 0), 1)


def test_an_older_picture_stands_in_for_a_damaged_one(client: test.Client) -> None:
    arrays, meta = binary(client, "segments", run="unreadable", probe="p")
    assert arrays["labels"].shape == (16, 16)
    assert "cut off" in meta["notices"][0]
    assert client.get(f"{PREFIX}/picture?run=unreadable&probe=p").status_code == 200


def test_responses_are_gzipped_for_those_who_can(client: test.Client) -> None:
    query = {"run": "plain/lime", "probe": make_probes(PLAIN)[0].id}
    plain = client.get(f"{PREFIX}/segments", query_string=query)
    assert "Content-Encoding" not in plain.headers
    packed = client.get(f"{PREFIX}/segments", query_string=query, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data) / 4
