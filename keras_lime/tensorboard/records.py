"""Record: named arrays beside a small JSON header, as one list of byte strings.

This is the storage schema that the writer and the TensorBoard plugin share. A record is one event of one tag: a rank-1
string tensor `[header, array 0, array 1, ...]`, so a step is there as a whole or not at all. The header is JSON
`{"v": 1, "kind": ..., "arrays": [[name, dtype, shape], [name, dtype, shape, "zlib"], ...], ...}`; the caller's own
entries stand beside these three.

`schema` lists what each kind of record holds; `build` makes a record by it. The schema grows without a new version: a
reader asks for the names it knows, says which it does not know, and an array that is not there is `None`. The version
rises only when an old reader would misread new data.

May import numpy, the schema and the standard library alone.
"""

import json
import math
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import keras_lime.tensorboard.schema as schema

__all__ = [
    "MANIFEST_TAG",
    "NEIGHBOURS_TAG",
    "PLUGIN_NAME",
    "SUMMARY_TAG",
    "SWAPS_TAG",
    "VERSION",
    "DamagedRecordError",
    "NewerRecordError",
    "Record",
    "RecordError",
    "build",
    "decode",
    "encode",
    "probe_tag",
    "result_tag",
]

PLUGIN_NAME = "keras_lime"
MANIFEST_TAG = f"{PLUGIN_NAME}/manifest"
SUMMARY_TAG = f"{PLUGIN_NAME}/summary"
NEIGHBOURS_TAG = f"{PLUGIN_NAME}/neighbours"
SWAPS_TAG = f"{PLUGIN_NAME}/swaps"
VERSION = 1

_RESERVED = ("v", "kind", "arrays")
# Below this size deflating costs time at every epoch and wins nothing: the weights of one image are noise to it.
_COMPRESS_FROM_BYTES = 4096
_COMPRESS_BELOW_RATIO = 0.9
# Logs are shared and come from strangers: no record may cost more than this, whatever it claims to hold.
_MOST_HEADER_BYTES = 16 << 20
_MOST_HEADER_DEPTH = 32
_MOST_ARRAY_BYTES = 128 << 20
_MOST_RECORD_BYTES = 256 << 20
_MOST_AXES = 4
_MOST_DIGITS = 18


def _finite_float(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _short_int(text: str) -> int | None:
    return int(text) if len(text) <= _MOST_DIGITS else None


# A NaN or infinity in a header was written by something else, and nothing down the line could send it as JSON.
_JSON = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_finite_float, parse_int=_short_int)


def probe_tag(probe_id: str) -> str:
    """Returns the tag that holds the picture and superpixels of a probe."""
    return f"{PLUGIN_NAME}/probe/{probe_id}"


def result_tag(probe_id: str) -> str:
    """Returns the tag that holds the weights of a probe, one record per explained step."""
    return f"{PLUGIN_NAME}/result/{probe_id}"


class RecordError(ValueError):
    """A record that cannot be read."""


class NewerRecordError(RecordError):
    """A record that a newer version of keras_lime wrote, in a way this one would misread."""


class DamagedRecordError(RecordError):
    """A record that is cut off or is no record at all."""


@dataclass(frozen=True, eq=False)
class Record:
    """What `decode` read.

    Attributes:
        kind: what the record describes: `"manifest"`, `"probe"`, `"result"`, `"summary"` or `"swaps"`.
        version: schema version it was written with, at most `VERSION`.
        header: the writer's own JSON entries.
        arrays: the arrays by name, read-only views where they were stored uncompressed. Use `array(name)` to get `None`
            for one that is not there.
        unknown: names in the header and of arrays that the schema does not list: a newer version logged them.
    """

    kind: str
    version: int
    header: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def array(self, name: str) -> NDArray[Any] | None:
        """Returns the array of that name, or `None` if the record has none."""
        return self.arrays.get(name)


def build(kind: str, values: Mapping[str, Any]) -> list[bytes]:
    """Makes a record as the schema says: which values go in the header, and how the arrays are stored.

    Args:
        kind: what the record describes.
        values: the fields by name. Of an array `None` leaves it out; a header keeps it as null.

    Returns:
        The byte strings of the record.

    Raises:
        ValueError: If a field is not in the schema, or the axes of two arrays do not agree.
    """
    header: dict[str, Any] = {}
    arrays: dict[str, NDArray[Any] | None] = {}
    sizes: dict[str, int] = {}
    for name, value in values.items():
        row = schema.SCHEMA.array(kind, name)
        if row is not None:
            arrays[name] = None if value is None else _as_stored(row, np.asarray(value), sizes)
        elif name in schema.SCHEMA.header(kind):
            header[name] = value
        else:
            raise ValueError(
                f"A field of a {kind} record must have a row in the schema. Received: {name!r}. "
                "Add it to keras_lime/tensorboard/schema.py."
            )
    return encode(kind, header, arrays)


def _as_stored(row: schema.Field, array: NDArray[Any], sizes: dict[str, int]) -> NDArray[Any]:
    """The array in its row's dtype; the sizes of its axes must be those that other arrays of the record have."""
    axes = row.shape or ()
    if axes != ("*",):
        fits = array.ndim == len(axes)
        # Each file has a length of its own.
        fits &= all(
            sizes.setdefault(axis, size) == size
            for axis, size in zip(axes, array.shape, strict=False)
            if axis != "bytes"
        )
        if not fits:
            known = {axis: sizes.get(axis) for axis in axes}
            raise ValueError(
                f"`{row.name}` of a {row.record} record must have the axes {known}. Received: shape={array.shape}."
            )
    return array if row.dtype == "*" else array.astype(row.dtype, copy=False)


def encode(kind: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any] | None]) -> list[bytes]:
    """Turns a header and named arrays into the byte strings of one record.

    Arrays are stored little-endian in C order. One of 4 kB or more is deflated where that makes it at least a tenth
    smaller; `decode` undoes it.

    Args:
        kind: what the record describes.
        header: JSON entries; no NaN or infinity (those belong in arrays), and none of the names `v`, `kind`, `arrays`.
        arrays: boolean, integer and floating arrays of any shape. A value of `None` leaves the array out.

    Returns:
        The header and then one byte string per array.

    Raises:
        ValueError: If the header holds a reserved name or a number that JSON cannot hold.
        TypeError: If an array has another dtype.

    Example:
        ```python
        parts = encode("result", {"predicted": 3}, {"coef": np.zeros((1, 40), np.float32), "stderr": None})
        decode(parts).array("coef").shape  # (1, 40)
        ```
    """
    clash = [name for name in _RESERVED if name in header]
    if clash:
        raise ValueError(f"`header` must not use the reserved names {_RESERVED}. Received: header with {clash}.")
    entries: list[list[Any]] = []
    parts: list[bytes] = []
    for name, array in arrays.items():
        if array is None:
            continue
        array = np.asarray(array)
        if array.dtype.kind not in "biuf":
            raise TypeError(
                f"`arrays` must hold booleans, integers or floats. Received: arrays[{name!r}] of dtype {array.dtype}."
            )
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        part = array.tobytes()
        entry: list[Any] = [name, array.dtype.str, list(array.shape)]
        if len(part) >= _COMPRESS_FROM_BYTES:
            deflated = zlib.compress(part)
            if len(deflated) <= _COMPRESS_BELOW_RATIO * len(part):
                part = deflated
                entry.append("zlib")
        entries.append(entry)
        parts.append(part)
    text = json.dumps(
        {"v": VERSION, "kind": kind, **header, "arrays": entries},
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )
    return [text.encode(), *parts]


def decode(parts: Sequence[bytes], only: Collection[str] | None = None) -> Record:
    """Turns the byte strings of one record back into header and arrays.

    Args:
        parts: what `encode` returned.
        only: names of the arrays to decode. Defaults to all that the schema lists; naming them spares inflating a large
            image that is not asked for.

    Returns:
        The `Record`. An array that the schema does not list is named in `unknown` and not read; one stored with a dtype
        or compression that this version does not know is left out.

    Raises:
        NewerRecordError: If the record's version is higher than `VERSION`.
        DamagedRecordError: If the parts are cut off or are no record.
    """
    header = _read_header(parts)
    version = header.pop("v", None)
    kind = header.pop("kind", None)
    entries = header.pop("arrays", None)
    if not isinstance(version, int) or not isinstance(kind, str):
        raise DamagedRecordError("This is no keras_lime record: its header names no version and kind.")
    if version > VERSION:
        raise NewerRecordError(
            f"This record has schema version {version}, and this keras_lime reads up to version {VERSION}. "
            "Upgrade keras_lime where TensorBoard runs."
        )
    if not isinstance(entries, list) or len(entries) != len(parts) - 1:
        raise DamagedRecordError(f"The {kind} record is cut off: {len(parts) - 1} of its arrays are there.")
    arrays: dict[str, NDArray[Any]] = {}
    left = _MOST_RECORD_BYTES
    for entry, part in zip(entries, parts[1:], strict=True):
        name = entry[0] if isinstance(entry, list) and entry else None
        if not isinstance(name, str):
            raise DamagedRecordError(f"The {kind} record describes an array without a name.")
        if schema.SCHEMA.has_array(name) and (only is None or name in only):
            array = _read_array(kind, entry, part, left)
            if array is not None:
                arrays[name] = array
                left -= array.nbytes
    names = [entry[0] for entry in entries]
    return Record(kind=kind, version=version, header=header, arrays=arrays, unknown=_unknown(kind, header, names))


def _unknown(kind: str, header: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    known = schema.SCHEMA
    extra = [name for name in header if name not in known.header(kind)]
    return (*extra, *(name for name in names if known.array(kind, name) is None))


def _read_header(parts: Sequence[bytes]) -> dict[str, Any]:
    if not parts:
        raise DamagedRecordError("This is no keras_lime record: it is empty.")
    if len(parts[0]) > _MOST_HEADER_BYTES:
        raise DamagedRecordError(f"This is no keras_lime record: its header has {len(parts[0])} bytes.")
    try:
        header = _JSON.decode(parts[0].decode())
    except (ValueError, RecursionError) as error:
        raise DamagedRecordError(f"This is no keras_lime record: its header is not JSON ({error}).") from None
    if not isinstance(header, dict):
        raise DamagedRecordError("This is no keras_lime record: its header is not a JSON object.")
    if not _is_shallow(header):
        raise DamagedRecordError(
            f"This is no keras_lime record: its header is nested more than {_MOST_HEADER_DEPTH} deep."
        )
    return header


def _is_shallow(header: dict[str, Any]) -> bool:
    """Whether no list or object lies deeper than anything that keras_lime writes; what is deeper cannot be sent on."""
    level: list[Any] = [header]
    for _ in range(_MOST_HEADER_DEPTH):
        level = [
            value
            for holder in level
            for value in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(value, dict | list)
        ]
        if not level:
            return True
    return False


def _read_array(kind: str, entry: list[Any], part: bytes, left: int) -> NDArray[Any] | None:
    """Returns the array that `entry` describes, `None` if it is stored in a way this version does not know."""
    try:
        name, dtype_name, sizes, *coding = entry
        dtype, shape = _layout(dtype_name, *sizes)
    except (TypeError, ValueError):
        raise DamagedRecordError(f"The {kind} record does not say how its array {entry[0]!r} is stored.") from None
    if dtype is None or coding not in ([], ["zlib"]):
        return None
    size = math.prod(shape) * dtype.itemsize
    if size > min(_MOST_ARRAY_BYTES, left) or len(shape) > _MOST_AXES:
        raise DamagedRecordError(
            f"The array {name!r} of the {kind} record claims {size} bytes on {len(shape)} axes, which none has."
        )
    if coding:
        part = _inflate(part, size)
    if len(part) != size:
        raise DamagedRecordError(
            f"The array {name!r} of the {kind} record is cut off: {len(part)} bytes are there, its shape needs {size}."
        )
    return np.frombuffer(part, dtype).reshape(shape)


@lru_cache(maxsize=256)
def _layout(dtype_name: object, *sizes: object) -> tuple[np.dtype[Any] | None, tuple[int, ...]]:
    """Checks dtype and shape, which the hundreds of records of a series share: `None` for a dtype not known here."""
    shape = tuple(size for size in sizes if type(size) is int and 0 <= size < 1 << 40)
    if not isinstance(dtype_name, str) or len(shape) < len(sizes):
        raise ValueError(f"Expected a dtype and sizes. Received: {dtype_name!r}, {sizes!r}.")
    try:
        dtype = np.dtype(dtype_name)
    except TypeError:
        return None, shape
    return (dtype if dtype.kind in "biuf" else None), shape


def _inflate(part: bytes, size: int) -> bytes:
    """Inflates `part`, to `size` bytes at most so that a damaged record cannot fill the memory."""
    try:
        return zlib.decompressobj().decompress(part, max(size, 1))
    except (zlib.error, OverflowError):
        return b""
