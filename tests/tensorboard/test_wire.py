import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from keras_lime.tensorboard.plugin.wire import pack, unpack

sent = hnp.arrays(
    st.sampled_from(["<f4", ">f4", "<f8", "<i4", "<u2", "u1"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
)


@given(st.dictionaries(st.text(max_size=8), sent, max_size=4), st.text())
def test_round_trip(arrays: dict[str, NDArray[Any]], note: str) -> None:
    received, meta = unpack(pack(arrays, {"notices": [note]}))
    assert meta == {"notices": [note]}
    assert list(received) == list(arrays)
    for name, array in arrays.items():
        assert received[name].dtype.name == array.dtype.name
        np.testing.assert_array_equal(received[name], array)


@given(st.dictionaries(st.text(max_size=8), sent, max_size=4), st.text(max_size=20))
def test_arrays_lie_at_multiples_of_eight(arrays: dict[str, NDArray[Any]], note: str) -> None:
    body = pack(arrays, {"note": note})
    (length,) = struct.unpack("<I", body[4:8])
    assert (8 + length) % 8 == 0
    assert all(entry["offset"] % 8 == 0 for entry in json.loads(body[8 : 8 + length])["arrays"])


def test_known_bytes() -> None:
    body = pack({"a": np.array([1, 2], np.uint16), "none": None, "b": np.array([0.5], np.float32)})
    header = (
        b'{"arrays":[{"name":"a","dtype":"uint16","shape":[2],"offset":0},'
        b'{"name":"b","dtype":"float32","shape":[1],"offset":8}]}'
    )
    header += b" " * (-len(header) % 8)
    data = b"\x01\0\x02\0\0\0\0\0" + b"\0\0\0?\0\0\0\0"
    assert body == b"KLB1" + struct.pack("<I", len(header)) + header + data


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(TypeError, match=r"`arrays` must have.*Received: arrays\['steps'\] of int64"):
        pack({"steps": np.zeros(3, np.int64)})


@pytest.mark.parametrize("body", [b"", b"KLB1", b"{}", b"KLB2\0\0\0\0"])
def test_other_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="`body` must start with"):
        unpack(body)
