"""Records that strangers wrote: bombs, deep headers, impossible numbers and steps. Each costs little and takes nothing
else with it."""

import json
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.plugin.reader import StepRecord
from keras_lime.tensorboard.plugin.stacking import stack_results, stack_summaries
from keras_lime.tensorboard.records import (
    MANIFEST_TAG,
    SUMMARY_TAG,
    DamagedRecordError,
    Record,
    decode,
    encode,
    result_tag,
)
from tests.support.serving import LOADERS, PREFIX, binary, client_of, provider_of
from tests.support.synthetic_logs import Settings, make_probes, result_arrays, summary_of, write_run

SETTINGS = Settings(n_probes=2, epochs=3, n_segments=9, size=16)
MEBIBYTE = 1 << 20


def header(**entries: Any) -> bytes:
    return json.dumps({"v": 1, "kind": "result", "arrays": [], **entries}).encode()


def bomb(name: str, shape: list[int], dtype: str = "<f4") -> list[bytes]:
    """A record of a megabyte or so that claims an array of that shape, and holds the bytes for it."""
    return [header(arrays=[[name, dtype, shape, "zlib"]]), zeros(int(np.prod(shape)) * np.dtype(dtype).itemsize)]


def zeros(size: int) -> bytes:
    """As many zeros, packed; a mebibyte is packed once and repeated, since a full flush ends where a byte does."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = packer.compress(bytes(MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = (size % 65521 << 16 | 1).to_bytes(4, "big")  # Adler-32 of zeros
    return b"\x78\xda" + block * (size // MEBIBYTE) + packer.flush() + checksum


@pytest.mark.parametrize(("name", "shape"), [("coef", [1, 1 << 28]), ("picture", [1 << 30]), ("flags", [1 << 15] * 2)])
def test_a_bomb_is_refused_before_it_is_inflated(name: str, shape: list[int]) -> None:
    parts = bomb(name, shape)
    tracemalloc.start()
    with pytest.raises(DamagedRecordError, match="claims .* bytes"):
        decode(parts)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MEBIBYTE


def test_the_bombs_are_what_they_claim() -> None:
    assert zlib.decompress(zeros(3 * MEBIBYTE)) == bytes(3 * MEBIBYTE)


def test_an_array_of_an_unknown_name_is_never_inflated() -> None:
    parts = bomb("payload", [1 << 24])
    tracemalloc.start()
    record = decode(parts)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (dict(record.arrays), record.unknown) == ({}, ("payload",))
    assert peak < MEBIBYTE


def test_many_arrays_of_a_record_are_bounded_together() -> None:
    parts = bomb("picture_0", [1 << 26], "u1")
    entries = [[f"picture_{index}", "u1", [1 << 26], "zlib"] for index in range(8)]
    with pytest.raises(DamagedRecordError, match="claims"):
        decode([header(kind="swaps", arrays=entries), *[parts[1]] * 8])


@pytest.mark.parametrize("depth", [33, 600, 100_000])
@pytest.mark.parametrize(("before", "after"), [("[", "]"), ('{"a":', "}")])
def test_a_header_nested_deep_is_no_record(depth: int, before: str, after: str) -> None:
    text = '{"v":1,"kind":"manifest","arrays":[],"probes":' + before * depth + "1" + after * depth + "}"
    with pytest.raises(DamagedRecordError, match="no keras_lime record"):
        decode([text.encode()])


def test_numbers_that_nobody_can_send_read_as_none() -> None:
    text = b'{"v":1,"kind":"result","arrays":[],"a":1e999,"b":-1e999,"c":' + b"9" * 5000 + b',"d":[1e400,0.5]}'
    assert decode([text]).header == {"a": None, "b": None, "c": None, "d": [None, 0.5]}


@pytest.mark.parametrize("loader", LOADERS)
def test_one_hostile_run_takes_nothing_from_the_others(loader: str, tmp_path: Path) -> None:
    probe = write_run(tmp_path / "good" / "lime", SETTINGS)[0]
    deep = b'{"v":1,"kind":"manifest","arrays":[],"probes":' + b"[" * 600 + b"]" * 600 + b"}"
    infinite = b'{"v":1,"kind":"manifest","arrays":[],"n_outputs":1e999,"probes":[{"id":"a","chance":1e999}]}'
    for run, manifest in (("deep", deep), ("infinite", infinite)):
        with RunWriter(tmp_path / run) as writer:
            writer.session_start(0)
            writer.record(MANIFEST_TAG, 0, [manifest])
            writer.record(result_tag("a"), 0, [header(predicted_value=1e308, num_samples=10**17)])
            writer.record(SUMMARY_TAG, 0, encode("summary", {}, {}))
    with provider_of(loader, tmp_path, {"good/lime": 2, "deep": 0, "infinite": 0}) as provider:
        client = client_of(provider)
        response = client.get(f"{PREFIX}/manifest")
        assert response.status_code == 200
        runs = {entry["run"]: entry for entry in json.loads(response.data)["runs"]}
        assert len(runs["good/lime"]["manifest"]["probes"]) == 2
        assert runs["deep"]["manifest"] is None
        assert "nested more than" in runs["deep"]["notices"][0]
        assert runs["infinite"]["manifest"]["n_outputs"] is None
        assert binary(client, "series", run="good/lime", probe=probe.id)[0]["steps"].tolist() == [0, 1, 2]
        for route in ("series", "summary", "swaps", "segments"):
            assert client.get(f"{PREFIX}/{route}?run=infinite&probe=a").status_code in (200, 404), route


@pytest.mark.parametrize("loader", LOADERS)
def test_steps_that_are_no_epoch_are_left_out_and_the_last_of_two_wins(loader: str, tmp_path: Path) -> None:
    probe = make_probes(SETTINGS)[0]
    with RunWriter(tmp_path / "lime") as writer:
        writer.session_start(0)
        for step, epoch in ((0, 0), (1, 1), (1, 2), (2, 0), (2**31, 0), (2**40, 0)):
            head, arrays = result_arrays(SETTINGS, probe, epoch)
            writer.record(result_tag(probe.id), step, encode("result", head, arrays))
            writer.record(SUMMARY_TAG, step, encode("summary", {}, summary_of(SETTINGS, [probe], epoch)))
    with provider_of(loader, tmp_path, {"lime": 2**40}) as provider:
        client = client_of(provider)
        series, meta = binary(client, "series", run="lime", probe=probe.id)
        summary, _ = binary(client, "summary", run="lime")
        assert client.get(f"{PREFIX}/manifest").status_code == 200
    assert series["steps"].tolist() == summary["steps"].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(series["coef"][1], result_arrays(SETTINGS, probe, 2)[1]["coef"])
    assert meta["notices"] == [
        f"2 steps of {result_tag(probe.id)} left out: An epoch is a number from 0 to 2147483647."
    ]


def at(step: int, **arrays: Any) -> StepRecord:
    return StepRecord(step, 0.0, Record("result", 1, {}, arrays))


def test_what_is_stacked_is_bounded() -> None:
    wide = np.zeros((1 << 12, 1 << 10), np.float32)
    records = [at(step, coef=wide, targets=np.zeros(1 << 12, np.int32)) for step in range(40)]
    arrays, notices = stack_results(records)
    assert arrays["steps"] is not None
    assert arrays["steps"].tolist() == list(range(24, 40))
    assert notices == ["24 steps left out: the newest 16 are all that can be shown at once."]
    huge = np.zeros((1, (1 << 22) + 1), np.float32)
    arrays, notices = stack_results([at(0, coef=huge, targets=np.zeros(1, np.int32))])
    assert notices == ["1 step left out: no image has so many weights."]
    ids = [at(step, class_ids=np.arange(1 << 20, dtype=np.int32) + step) for step in range(20)]
    summary = stack_summaries(ids)
    assert summary["class_ids"] is not None
    assert summary["class_ids"].size == 0


def test_notices_stay_short(tmp_path: Path) -> None:
    names = {f"{'x' * 500}{index}": index for index in range(1000)}
    with RunWriter(tmp_path / "lime") as writer:
        writer.record(SUMMARY_TAG, 0, encode("summary", names, {}))
    with provider_of("slow", tmp_path, {"lime": 0}) as provider:
        _, meta = binary(client_of(provider), "summary", run="lime")
    assert len(meta["notices"][0]) < 800
    assert "and 988 more" in meta["notices"][0]
