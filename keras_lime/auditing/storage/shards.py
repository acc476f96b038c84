"""An audit's folder: files that are there whole or not at all, and manifests that say which shards are done.

A shard's manifest is written after its Parquet files. So a process may be killed at any moment: without a manifest the
shard counts as never begun. May import the standard library, the core's `atomic_write` and the schema; pyarrow when
tables are written or checked.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from keras_lime.auditing.storage.parquet import opened_parquet
from keras_lime.auditing.storage.schema import pictures_schema, rows_schema
from keras_lime.core.atomic_write import TEMPORARY_SUFFIX, atomic_write, atomic_write_bytes
from keras_lime.data.folder_path import is_remote
from keras_lime.data.folder_path import make_folder as make_any_folder

__all__ = [
    "ShardManifest",
    "digest_of_ids",
    "done_shards",
    "intact_shards",
    "make_folder",
    "missing_parts",
    "read_json",
    "read_manifest",
    "write_json",
    "write_shard",
    "write_table",
]

_FOLDERS = ("rows", "pictures", "shards")


@dataclass(frozen=True)
class ShardManifest:
    """What was done of one shard.

    Attributes:
        shard: its number.
        images: number of images.
        failed: number of images that could not be explained.
        image_ids: SHA-256 of their identities in order, see `digest_of_ids`.
        bytes: sizes of the shard's files, by path inside the audit's folder.
        rows: numbers of their rows, by the same paths.
    """

    shard: int
    images: int
    failed: int
    image_ids: str
    bytes: Mapping[str, int]
    rows: Mapping[str, int]


def digest_of_ids(image_ids: Iterable[str | None]) -> str:
    """Names some images in their order; an image that could not be read counts as such."""
    return hashlib.sha256(" ".join(each or "-" for each in image_ids).encode()).hexdigest()


def make_folder(folder: Path, identity: Mapping[str, Any]) -> None:
    """Begins or continues an audit: `audit.json` first, then the folders; what a killed process left is deleted.

    Args:
        folder: the audit's folder.
        identity: what `audit.json` holds, if it is not there yet.
    """
    make_any_folder(folder)
    if not (folder / "audit.json").exists():
        write_json(folder / "audit.json", identity)
    if is_remote(folder):
        # A store has no folders, and no files that are half written.
        return
    for part in (".", *_FOLDERS):
        (folder / part).mkdir(exist_ok=True)
        for file in (folder / part).glob(f".*{TEMPORARY_SUFFIX}"):
            file.unlink(missing_ok=True)


def write_shard(
    folder: Path,
    index: int,
    rows: Mapping[str, Sequence[Any]],
    pictures: Mapping[str, Sequence[Any]],
    image_ids: Sequence[str | None],
    failed: int,
) -> ShardManifest:
    """Writes a shard's files, and at last its manifest.

    Args:
        folder: the audit's folder.
        index: number of the shard.
        rows: the columns of `schema.ROW_COLUMNS`, of one length.
        pictures: those of `schema.PICTURE_COLUMNS`.
        image_ids: of all images of the shard.
        failed: how many of them could not be explained.

    Returns:
        The `ShardManifest`.
    """
    sizes, counts = {}, {}
    # Image files are compressed by themselves.
    for name, columns, schema, compression in (
        ("pictures", pictures, pictures_schema(), "none"),
        ("rows", rows, rows_schema(), "zstd"),
    ):
        file = Path(name) / f"part-{index:06d}.parquet"
        sizes[file.as_posix()] = write_table(folder / file, columns, schema, compression)
        counts[file.as_posix()] = len(columns["position"])
    manifest = ShardManifest(index, len(image_ids), failed, digest_of_ids(image_ids), sizes, counts)
    write_json(folder / "shards" / f"part-{index:06d}.json", asdict(manifest))
    return manifest


def done_shards(folder: Path) -> dict[int, ShardManifest]:
    """The shards whose manifest and files are all there, by number; of the files the sizes are compared."""
    return _shards(folder, _has_sizes)


def intact_shards(folder: Path) -> dict[int, ShardManifest]:
    """As `done_shards`, with a look into each file: what an audit that goes on need not do again."""
    return _shards(folder, lambda folder, manifest: not missing_parts(folder, manifest))


def missing_parts(folder: Path, manifest: ShardManifest) -> list[str]:
    """The files of a shard that are missing, have another size or another number of rows; none if it is intact."""
    import pyarrow as pa

    wrong = []
    try:
        if read_manifest(read_json(folder / "shards" / f"part-{manifest.shard:06d}.json")) != manifest:
            wrong.append(f"shards/part-{manifest.shard:06d}.json")
    except (OSError, ValueError, TypeError):
        wrong.append(f"shards/part-{manifest.shard:06d}.json")
    for name, size in manifest.bytes.items():
        try:
            intact = (folder / name).stat().st_size == size
            # The footer of a Parquet file is its end, so a file that was cut off has none.
            with opened_parquet(folder / name) as opened:
                intact = intact and opened.metadata.num_rows == manifest.rows.get(name)
        except (OSError, pa.ArrowException):
            intact = False
        wrong += [] if intact else [name]
    return wrong


def read_manifest(values: Mapping[str, Any]) -> ShardManifest:
    """A `ShardManifest` from the JSON values that it was written as, by version 1 too."""
    if isinstance(values["image_ids"], list):
        rows = {name: values["rows"] for name in values["bytes"] if name.startswith("rows/")}
        return ShardManifest(**{**values, "image_ids": digest_of_ids(values["image_ids"]), "rows": rows})
    return ShardManifest(**values)


def write_json(file: Path, content: Any) -> None:
    """Writes a JSON file whole or not at all."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    _patiently(lambda: atomic_write_bytes(file, text.encode("utf-8", "replace")))


def read_json(file: Path) -> Any:
    """Reads a JSON file."""
    return json.loads(file.read_text(encoding="utf-8"))


def write_table(file: Path, columns: Mapping[str, Sequence[Any]], schema: Any, compression: str = "snappy") -> int:
    """Writes a Parquet file whole or not at all, and returns its size.

    Args:
        file: where it goes.
        columns: values of each of the schema's columns, of one length.
        schema: the `pyarrow.Schema`.
        compression: see `pyarrow.parquet.write_table`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [pa.array(columns[field.name], type=field.type) for field in schema]
    table = pa.Table.from_arrays(arrays, schema=schema)
    return _patiently(lambda: atomic_write(file, lambda part: pq.write_table(table, part, compression=compression)))


def _patiently(write: Callable[[], int]) -> int:
    try:
        return write()
    except FileNotFoundError:
        # Another audit of the same folder has just begun, and took the file for one that a killed process left.
        return write()


def _shards(folder: Path, intact: Callable[[Path, ShardManifest], bool]) -> dict[int, ShardManifest]:
    found = {}
    for file in sorted((folder / "shards").glob("part-*.json")):
        try:
            manifest = read_manifest(read_json(file))
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if intact(folder, manifest):
            found[manifest.shard] = manifest
    return found


def _has_sizes(folder: Path, manifest: ShardManifest) -> bool:
    try:
        return all((folder / name).stat().st_size == size for name, size in manifest.bytes.items())
    except OSError:
        return False
