"""An audit's folder: files that are there whole or not at all, and manifests that say which shards are done.

A file is written under a temporary name and renamed; a shard's manifest comes after its Parquet files. So a process may
be killed at any moment: without a manifest the shard counts as never begun. May import the standard library and the
schema; pyarrow when something is written.
"""

import json
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from keras_lime.auditing.storage.schema import pictures_schema, rows_schema

__all__ = ["Manifest", "done_shards", "make_folder", "read_json", "read_manifest", "write_json", "write_shard"]

_TEMPORARY = ".tmp"

_ROOMS = ("rows", "pictures", "shards")


@dataclass(frozen=True)
class Manifest:
    """What was done of one shard.

    Attributes:
        shard: its number.
        images: number of images.
        rows: number of rows.
        failed: number of images that could not be explained.
        image_ids: their identities in order, None for those that could not be read.
        bytes: sizes of the shard's files, by path inside the audit's folder.
    """

    shard: int
    images: int
    rows: int
    failed: int
    image_ids: tuple[str | None, ...]
    bytes: Mapping[str, int]


def make_folder(folder: Path, identity: Mapping[str, Any]) -> None:
    """Begins or continues an audit: `audit.json` first, then the folders; what a killed process left is deleted.

    Args:
        folder: the audit's folder.
        identity: what `audit.json` holds, if it is not there yet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "audit.json").exists():
        write_json(folder / "audit.json", identity)
    for room in (".", *_ROOMS):
        (folder / room).mkdir(exist_ok=True)
        for file in (folder / room).glob(f".*{_TEMPORARY}"):
            file.unlink(missing_ok=True)


def write_shard(
    folder: Path,
    index: int,
    rows: Mapping[str, Sequence[Any]],
    pictures: Mapping[str, Sequence[Any]],
    image_ids: Sequence[str | None],
    failed: int,
) -> Manifest:
    """Writes a shard's files, and at last its manifest.

    Args:
        folder: the audit's folder.
        index: number of the shard.
        rows: the columns of `schema.ROW_COLUMNS`, of one length.
        pictures: those of `schema.PICTURE_COLUMNS`.
        image_ids: of all images of the shard.
        failed: how many of them could not be explained.

    Returns:
        The `Manifest`.
    """
    sizes = {}
    # Pictures are compressed by themselves.
    for room, columns, schema, compression in (
        ("pictures", pictures, pictures_schema(), "none"),
        ("rows", rows, rows_schema(), "zstd"),
    ):
        file = Path(room) / f"part-{index:06d}.parquet"
        sizes[file.as_posix()] = _write_table(folder / file, columns, schema, compression)
    manifest = Manifest(index, len(image_ids), len(rows["position"]), failed, tuple(image_ids), sizes)
    write_json(folder / "shards" / f"part-{index:06d}.json", asdict(manifest))
    return manifest


def done_shards(folder: Path) -> dict[int, Manifest]:
    """The shards whose manifest and files are all there, by number."""
    found = {}
    for file in sorted((folder / "shards").glob("part-*.json")):
        manifest = read_manifest(read_json(file))
        sizes = {name: (folder / name).stat().st_size for name in manifest.bytes if (folder / name).exists()}
        if sizes == manifest.bytes:
            found[manifest.shard] = manifest
    return found


def read_manifest(values: Mapping[str, Any]) -> Manifest:
    """A `Manifest` from the JSON values that it was written as."""
    return Manifest(**{**values, "image_ids": tuple(values["image_ids"])})


def write_json(file: Path, content: Any) -> None:
    """Writes a JSON file whole or not at all."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    _write(file, lambda part: part.write_text(text, encoding="utf-8"))


def read_json(file: Path) -> Any:
    """Reads a JSON file."""
    return json.loads(file.read_text(encoding="utf-8"))


def _write_table(file: Path, columns: Mapping[str, Sequence[Any]], schema: Any, compression: str) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [pa.array(columns[field.name], type=field.type) for field in schema]
    table = pa.Table.from_arrays(arrays, schema=schema)
    return _write(file, lambda part: pq.write_table(table, part, compression=compression))


def _write(file: Path, write: Callable[[Path], object]) -> int:
    """Lets `write` fill a file of a temporary name and renames it; returns its size."""
    try:
        return _written(file, write)
    except FileNotFoundError:
        # Another audit of the same folder has just begun, and took the file for one that a killed process left.
        return _written(file, write)


def _written(file: Path, write: Callable[[Path], object]) -> int:
    # A name of its own: a worker that is slow to die may be writing the same file.
    part = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}{_TEMPORARY}")
    write(part)
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    size = part.stat().st_size
    os.replace(part, file)
    return size
