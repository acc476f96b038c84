"""Binary container: named arrays beside JSON, as one body of an HTTP response.

JSON has no NaN and is slow to parse for a hundred thousand weights; a page puts typed arrays straight over this
container. Layout:

- bytes 0-3: `KLB1`
- bytes 4-7: length H of the header, uint32 little-endian
- H bytes: UTF-8 JSON `{"arrays": [{"name", "dtype", "shape", "offset"}, ...], ...}`, padded with spaces so that the
  data starts at a multiple of 8
- the arrays, little-endian in C order, each at `8 + H + offset`, every offset a multiple of 8

dtypes: float32, float64, int32, uint16, uint8. May import numpy and the standard library alone.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["pack", "unpack"]

_MAGIC = b"KLB1"
_DTYPES = ("float32", "float64", "int32", "uint16", "uint8")


def pack(arrays: Mapping[str, NDArray[Any] | None], meta: Mapping[str, Any] | None = None) -> bytes:
    """Packs named arrays into one container.

    Args:
        arrays: arrays of float32, float64, int32, uint16 or uint8. `None` leaves an array out.
        meta: further entries of the JSON header, without NaN. Defaults to none.

    Returns:
        The container's bytes.

    Raises:
        TypeError: If an array has another dtype.
    """
    entries = []
    blocks = []
    offset = 0
    for name, array in arrays.items():
        if array is None:
            continue
        if array.dtype.name not in _DTYPES:
            raise TypeError(f"`arrays` must have a dtype of {_DTYPES}. Received: arrays[{name!r}] of {array.dtype}.")
        block = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        block += b"\0" * (-len(block) % 8)
        entries.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape), "offset": offset})
        blocks.append(block)
        offset += len(block)
    header = json.dumps({**(meta or {}), "arrays": entries}, allow_nan=False, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return b"".join([_MAGIC, struct.pack("<I", len(header)), header, *blocks])


def unpack(body: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Unpacks a container, for scripts and tests that read the plugin's routes.

    Args:
        body: what `pack` returned.

    Returns:
        The arrays by name, and the header's other entries.

    Raises:
        ValueError: If this is no container or a part of one.
    """
    if body[:4] != _MAGIC or len(body) < 8:
        raise ValueError(f"`body` must start with {_MAGIC!r}. Received: {body[:8]!r}.")
    (length,) = struct.unpack("<I", body[4:8])
    meta = json.loads(body[8 : 8 + length])
    arrays = {}
    for entry in meta.pop("arrays"):
        count = int(np.prod(entry["shape"], dtype=np.int64))
        dtype = np.dtype(entry["dtype"]).newbyteorder("<")
        arrays[entry["name"]] = np.frombuffer(body, dtype, count, 8 + length + entry["offset"]).reshape(entry["shape"])
    return arrays, meta
