import contextlib
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from keras_lime.tensorboard.records import (
    VERSION,
    DamagedRecordError,
    NewerRecordError,
    RecordError,
    decode,
    encode,
    probe_tag,
    result_tag,
)

GOLDEN = Path(__file__).parent / "golden" / "record_v1.bin"

stored = hnp.arrays(
    st.sampled_from(["?", "<i4", ">i4", "<u2", "u1", "<f2", "<f4", ">f4", "<f8", "<i8"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6),
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
headers = st.dictionaries(st.text().filter(lambda name: name not in ("v", "kind", "arrays")), json_values, max_size=4)


def golden_arrays() -> dict[str, NDArray[Any]]:
    """What the golden file holds; it was written by the first release and stays as it is."""
    return {
        "targets": np.array([3, 1], np.int32),
        "coef": np.arange(6, dtype=np.float32).reshape(2, 3) - 2.5,
        "stderr": np.array([[0.5, 0.25, np.nan], [1, 2, 3]], np.float16),
        "object_mask": np.tri(80, 80, dtype=np.uint8),
        "r2": np.array(0.5, np.float32),
    }


def read_golden() -> list[bytes]:
    content = GOLDEN.read_bytes()
    parts = []
    while content:
        (size,) = struct.unpack("<I", content[:4])
        parts.append(content[4 : 4 + size])
        content = content[4 + size :]
    return parts


def test_golden_record_reads_as_ever() -> None:
    record = decode(read_golden())
    assert (record.kind, record.version) == ("result", 1)
    assert record.header == {"predicted": 3, "predicted_value": 0.75, "name": 'stop "sign" 🛑'}
    assert list(record.arrays) == list(golden_arrays())
    for name, expected in golden_arrays().items():
        array = record.arrays[name]
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)


def test_version_rises_only_with_a_new_golden_file() -> None:
    assert GOLDEN.name == f"record_v{VERSION}.bin"


@given(headers, st.dictionaries(st.sampled_from(["coef", "r2", "picture_3", "segments"]), stored, max_size=4))
def test_round_trip(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    record = decode(encode("result", header, arrays))
    assert record.header == header
    assert list(record.arrays) == list(arrays)
    for name, array in arrays.items():
        assert record.arrays[name].dtype == array.dtype.newbyteorder("<")
        np.testing.assert_array_equal(record.arrays[name], array)


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_arbitrary_bytes_never_raise_anything_else(parts: list[bytes]) -> None:
    with pytest.raises(RecordError):
        decode(parts)


@given(st.data())
def test_damaged_records_never_raise_anything_else(data: st.DataObject) -> None:
    parts = encode("result", {"predicted": 1}, {"coef": np.zeros((2, 700), np.float32), "r2": np.ones(2, np.float16)})
    place = data.draw(st.integers(0, len(parts) - 1))
    at = data.draw(st.integers(0, len(parts[place]) - 1))
    damaged = data.draw(
        st.sampled_from(
            [
                [*parts[:place], parts[place][:at], *parts[place + 1 :]],
                [*parts[:place], parts[place][:at] + b"\xff" + parts[place][at + 1 :], *parts[place + 1 :]],
                parts[:place],
                [*parts, b""],
            ]
        )
    )
    with contextlib.suppress(RecordError):
        decode(damaged)


def test_trailing_nul_bytes_stay() -> None:
    array = np.zeros(5, np.uint8)
    np.testing.assert_array_equal(decode(encode("probe", {}, {"picture": array})).array("picture"), array)


def test_absent_arrays_are_none() -> None:
    record = decode(encode("result", {}, {"coef": np.zeros((1, 2), np.float32), "stderr": None}))
    assert record.array("stderr") is None
    assert record.array("anything") is None


def test_names_of_a_later_release_are_named_and_not_read() -> None:
    parts = encode("result", {"predicted": 1}, {"coef": np.zeros((1, 2), np.float32), "later": np.zeros(3, np.uint8)})
    header = json.loads(parts[0])
    header["something"] = {"new": True}
    header["arrays"][1][1:] = ["bfloat16", [3], "brotli"]  # stored as nobody here can read
    record = decode([json.dumps(header).encode(), *parts[1:]])
    assert list(record.arrays) == ["coef"]
    assert record.header["predicted"] == 1
    assert record.unknown == ("something", "later")


def test_newer_version_is_named() -> None:
    header = json.dumps({"v": VERSION + 1, "kind": "result", "arrays": "stored otherwise"}).encode()
    with pytest.raises(NewerRecordError, match=f"version {VERSION + 1}.*Upgrade keras_lime"):
        decode([header])


def test_only_decodes_what_is_asked_for() -> None:
    parts = encode("probe", {}, {"picture": np.arange(9, dtype=np.uint8), "image": np.zeros((80, 80), np.uint8)})
    record = decode([*parts[:2], b"not deflated"], only=("picture",))
    assert list(record.arrays) == ["picture"]


def test_large_repetitive_arrays_are_deflated_and_small_or_noisy_ones_are_not() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 10_000, dtype=np.uint8)
    parts = encode(
        "probe", {}, {"map": np.zeros((100, 100), np.uint16), "small": np.zeros(100, np.uint8), "noise": noise}
    )
    assert [len(entry) for entry in json.loads(parts[0])["arrays"]] == [4, 3, 3]
    assert [len(part) < 100 for part in parts[1:]] == [True, False, False]


def test_a_deflated_bomb_is_not_inflated_beyond_its_shape() -> None:
    parts = encode("probe", {}, {"segments": np.zeros((100, 100), np.uint8)})
    record = decode([parts[0], zlib.compress(bytes(50_000_000))])
    assert record.arrays["segments"].nbytes == 10_000


def test_one_result_is_small() -> None:
    arrays: dict[str, NDArray[Any] | None] = {
        "targets": np.zeros(3, np.int32),
        "coef": np.random.default_rng(0).normal(size=(3, 64)).astype(np.float32),
        "stderr": np.ones((3, 64), np.float16),
    }
    for name in ("intercept", "r2", "local_prediction", "prediction", "object_share"):
        arrays[name] = np.zeros(3, np.float32)
    parts = encode("result", {"predicted": 104, "predicted_value": 0.123456}, arrays)
    assert sum(len(part) for part in parts) < 1700


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_header_refuses_what_json_cannot_hold(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode("result", {"predicted_value": value}, {})


def test_header_refuses_reserved_names() -> None:
    with pytest.raises(ValueError, match=r"`header` must not use the reserved names.*Received: header with \['kind'\]"):
        encode("result", {"kind": 1}, {})


def test_objects_are_refused() -> None:
    with pytest.raises(TypeError, match=r"`arrays` must hold.*arrays\['names'\] of dtype <U4"):
        encode("result", {}, {"names": np.array(["stop"])})


def test_a_foreign_nan_in_a_header_reads_as_none() -> None:
    record = decode([b'{"v":1,"kind":"result","arrays":[],"predicted_value":NaN}'])
    assert record.header == {"predicted_value": None}


@pytest.mark.parametrize(
    "header",
    [b"", b"[]", b"null", b"{", b"{}", b'{"v":1}', b'{"v":"1","kind":"a","arrays":[]}', b'{"v":1,"kind":"a"}', b"\xff"],
)
def test_no_record(header: bytes) -> None:
    with pytest.raises(DamagedRecordError):
        decode([header])


@pytest.mark.parametrize(
    "entry",
    [
        *([], "coef", [1, "<f4", [1]], ["coef"], ["coef", "<f4"], ["coef", 4, [1]], ["coef", "<f4", 1]),
        *(["coef", "<f4", shape] for shape in ([-1], [1.5], [[1]], [2], [2**62], [2**40, 2**40])),
    ],
)
def test_badly_described_arrays(entry: object) -> None:
    header = json.dumps({"v": 1, "kind": "result", "arrays": [entry]}).encode()
    with pytest.raises(DamagedRecordError):
        decode([header, b"\0\0\0\0"])


def test_tags() -> None:
    assert probe_tag("a/b") == "keras_lime/probe/a/b"
    assert result_tag("a/b") == "keras_lime/result/a/b"
