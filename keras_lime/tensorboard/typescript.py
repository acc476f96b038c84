"""The schema as TypeScript: `python -m keras_lime.tensorboard.typescript` writes the page's `data/schema.ts`.

The file is kept in git, so that the page builds where neither NumPy nor the core is installed; a test fails when it is
out of date. May import the core's and the shortcut tests' names for bits and regions.
"""

import json
from collections.abc import Iterator, Mapping
from enum import IntFlag
from math import isnan
from pathlib import Path

from keras_lime.core.diagnostics import SEGMENT_TEXTS, TARGET_TEXTS, SegmentDiagnostic, TargetDiagnostic
from keras_lime.shortcut.occlusion import REGIONS
from keras_lime.tensorboard.schema import SCHEMA, Field, Schema

__all__ = ["TYPESCRIPT", "typescript"]

TYPESCRIPT = Path(__file__).parent / "frontend" / "src" / "data" / "schema.ts"
"""Where the page looks for it."""

_ARRAYS = {
    "float32": "Float32Array",
    "float64": "Float64Array",
    "int32": "Int32Array",
    "uint16": "Uint16Array",
    "uint8": "Uint8Array",
}
_JSON = {
    "text": "string | null",
    "number": "number | null",
    "flag": "boolean",
    "texts": "readonly string[] | null",
    "numbers": "readonly number[] | null",
    "object": "Json | null",
    "objects": "readonly Json[]",
}
_HEAD = """\
// Made from keras_lime/tensorboard/schema.py by `python -m keras_lime.tensorboard.typescript`. Do not edit.

export type Json = Readonly<Record<string, unknown>>;

/** How one array of a container is decoded. */
export interface ArrayField<Key extends string> {
  readonly key: Key;
  readonly name: string;
  readonly dtype: "float32" | "int32" | "uint16" | "uint8";
  /** Behind the steps. */
  readonly axes: readonly string[];
  readonly missing: number;
  /** null where no step has it. */
  readonly optional: boolean;
}

/** How one value of a header is read. */
export type HeaderType = "text" | "number" | "flag" | "texts" | "numbers" | "object" | "objects";
"""


def typescript(schema: Schema = SCHEMA) -> str:
    """The constants and types that the page decodes logs by.

    Args:
        schema: the fields. Defaults to `SCHEMA`.

    Returns:
        The text of a TypeScript module: bits and sentences of the diagnostics, the names of regions, and for each
        record a type and a table.
    """
    parts = [
        _HEAD,
        _bits(
            "SEGMENT_DIAGNOSTIC",
            SegmentDiagnostic,
            "What is doubtful about one weight, as bits of `flags`.",
        ),
        _bits("TARGET_DIAGNOSTIC", TargetDiagnostic, "What is doubtful about an explanation, as bits of `caveats`."),
        _sentences("SEGMENT_SENTENCES", SEGMENT_TEXTS),
        _sentences("TARGET_SENTENCES", {code: " ".join(texts) for code, texts in TARGET_TEXTS.items()}),
        "/** Corners and borders, in the order of the axis `regions`. */\n"
        f"export const REGIONS = {_lines(list(map(_text, REGIONS)))} as const;\n",
        *_arrays("Series", [*_numbers(schema, "result"), *schema.arrays("result").values()]),
        *_arrays("Summary", list(schema.arrays("summary").values())),
        *(_header(record, schema) for record in _headers(schema)),
    ]
    return "\n".join(parts)


def _numbers(schema: Schema, record: str) -> list[Field]:
    """Numbers of the header, which are stacked over the steps like arrays."""
    return [field for field in schema.header(record).values() if field.dtype == "number"]


def _headers(schema: Schema) -> list[str]:
    """Records with a header that the page reads as JSON."""
    records = dict.fromkeys(field.record for field in schema.fields if not field.is_array)
    return [record for record in records if record not in ("probe", "result")]


def _arrays(title: str, fields: list[Field]) -> Iterator[str]:
    lines = [f"export interface {title}Fields {{"]
    rows = []
    for field in fields:
        array = _ARRAYS[field.served]
        axes = ", ".join(["steps", *(field.shape or ())])
        lines.append(f"  /** {field.meaning} */")
        lines.append(f"  readonly {_camel(field.name)}: {array}{' | null' if field.optional else ''}; // ({axes})")
        optional = json.dumps(field.optional)
        missing = "NaN" if isnan(field.missing) else str(int(field.missing))
        rows.append(
            f"{{ key: {_text(_camel(field.name))}, name: {_text(field.name)}, dtype: {_text(field.served)}, "
            f"axes: {json.dumps(list(field.shape or ()))}, missing: {missing}, optional: {optional} }}"
        )
    yield "\n".join([*lines, "}", ""])
    table = f"{title.upper()}_FIELDS: readonly ArrayField<keyof {title}Fields>[]"
    yield f"export const {table} = {_lines(rows)};\n"


def _header(record: str, schema: Schema) -> str:
    title = "".join(part.title() for part in record.split("."))
    lines = [f"export interface {title}Header {{"]
    rows = []
    for field in schema.header(record).values():
        lines.append(f"  /** {field.meaning} */")
        lines.append(f"  readonly {field.name}: {_JSON[field.dtype]};")
        rows.append(f"  {field.name}: {_text(field.dtype)},")
    name = record.replace(".", "_").upper()
    table = f"export const {name}_HEADER: Readonly<Record<keyof {title}Header, HeaderType>> = {{"
    return "\n".join([*lines, "}", "", table, *rows, "};", ""])


def _bits(name: str, bits: type[IntFlag], meaning: str) -> str:
    members = [f"  {_camel(bit.name.lower())}: {bit.value}," for bit in bits if bit.name]
    return "\n".join([f"/** {meaning} */", f"export const {name} = {{", *members, "} as const;", ""])


def _sentences(name: str, sentences: Mapping[SegmentDiagnostic, str] | Mapping[TargetDiagnostic, str]) -> str:
    rows = [f"  [{int(bit)}, {_text(text)}]," for bit, text in sentences.items()]
    head = "/** General sentences by bit, for logs that bring none of their own. */"
    return "\n".join([head, f"export const {name}: ReadonlyMap<number, string> = new Map([", *rows, "]);", ""])


def _lines(rows: list[str]) -> str:
    return "\n".join(["[", *(f"  {row}," for row in rows), "]"])


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    TYPESCRIPT.write_text(typescript(), encoding="utf-8")
