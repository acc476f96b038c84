"""What an audit leaves on disk: a folder of Parquet files that pandas, DuckDB or Arrow read without this package.

    audit.json                     written first: format version, model, data set, settings; says whose folder it is
    rows/part-000000.parquet       a row per image and target (an image that failed: one row with its `error`)
    pictures/part-000000.parquet   a row per image: what is needed to draw it
    shards/part-000000.json        written last of a shard: without it the shard's Parquet files do not count
    words.parquet                  a row per class and visual word, after all shards
    summary.json                   written last of all: the findings

The columns only ever grow within a format version: readers ask for those they know. Version 2 gave four columns of
version 1 clearer names (`RENAMED`); `Audit` and the report read both, and an unfinished audit of version 1 is refused.
May import the standard library alone; pyarrow when a schema is asked for.
"""

from typing import Any

__all__ = [
    "FORMAT_VERSION",
    "PICTURE_COLUMNS",
    "RENAMED",
    "ROW_COLUMNS",
    "SUMMARY_KEYS",
    "pictures_schema",
    "rows_schema",
    "schema_of",
]

FORMAT_VERSION = 2

RENAMED = {
    "p_background": "background_certainty",
    "p_object": "object_certainty",
    "caveats": "target_diagnostics",
    "flags": "segment_diagnostics",
}
"""Columns of version 1, and numbers of its summary, by the name that they have now."""

ROW_COLUMNS: dict[str, tuple[str, str]] = {
    "position": ("int64", "place of the image in the data set, from 0"),
    "image_id": ("string", "16 hexadecimal digits of the image's content; null if it could not be read"),
    "path": ("string", "path inside the folder, or null"),
    "label": ("int32", "true class, or null"),
    "label_name": ("string", "its name, or null"),
    "predicted": ("int32", "most probable class; null for regression"),
    "predicted_name": ("string", "its name, or null"),
    "predicted_value": ("float64", "its probability; for regression the first target's value"),
    "target": ("int32", "the explained output; null in a row of an error"),
    "target_name": ("string", "its name"),
    "probability": ("float64", "of the target, 0..1; for regression its value"),
    "r2": ("float64", "weighted R² of the surrogate; null if the scores do not vary"),
    "effective_samples": (
        "float64",
        "(Σw)² / Σw² of the kernel's weights (Kish 1965); infinite if all masks were taken",
    ),
    "num_samples": ("int32", "perturbations that were scored"),
    "intercept": ("float64", "the surrogate's value with every superpixel hidden"),
    "local_prediction": ("float64", "the surrogate's value for the image itself"),
    "target_diagnostics": ("uint16", "bits of `keras_lime.core.diagnostics.TargetDiagnostic`"),
    "object_share": ("float64", "share of the positive weight on the object; null without a mask or positive weight"),
    "object_chance": ("float64", "share of the picture that the object covers; null without a mask"),
    "swap_flip": ("float64", "share of the predictions that change on other classes' backgrounds; null if unmeasured"),
    "background_certainty": (
        "float64",
        "probability of the predicted class without the object, 1 certain, 0 a guess; or null",
    ),
    "object_certainty": ("float64", "the same with the object alone, on grey; or null"),
    "n_segments": ("int32", "number of superpixels"),
    "weights": ("list<float32>", "weight of each superpixel, n_segments, on the scale of `scale` in audit.json"),
    "stderr": ("list<float32>", "standard error of each weight; null for a surrogate without one"),
    "segment_diagnostics": (
        "list<uint8>",
        "bits of `keras_lime.core.diagnostics.SegmentDiagnostic`, one a superpixel",
    ),
    "segment_area": ("list<float32>", "share of the picture, 0..1"),
    "segment_y": ("list<float32>", "centre from the top, 0..1"),
    "segment_x": ("list<float32>", "centre from the left, 0..1"),
    "segment_at_border": ("list<bool>", "whether it touches the picture's border"),
    "segment_lightness": ("list<float32>", "mean CIELAB L*, 0..100"),
    "segment_a": ("list<float32>", "mean CIELAB a*, green negative, red positive"),
    "segment_b": ("list<float32>", "mean CIELAB b*, blue negative, yellow positive"),
    "segment_spread": ("list<float32>", "root mean square CIELAB distance of its pixels from its mean colour"),
    "segment_texture": ("list<float32>", "mean gradient magnitude of L* over its pixels, per pixel"),
    "segment_upright": ("list<float32>", "which way its stripes run: 1 upright, -1 level, 0 neither; new in 0.2"),
    "segment_slanted": ("list<float32>", "1 stripes that rise to the right, -1 that fall, 0 neither; new in 0.2"),
    "segment_on_object": ("list<float32>", "share of it inside the object's mask, 0..1; null without a mask"),
    "error": ("string", "why the image could not be explained; null if it was"),
}
"""Columns of `rows/`: type and meaning. Everything but the target's own numbers repeats in all rows of an image."""

PICTURE_COLUMNS: dict[str, tuple[str, str]] = {
    "position": ("int64", "as in the rows"),
    "image_id": ("string", "as in the rows"),
    "height": ("int32", "pixels, as the model saw it"),
    "width": ("int32", "pixels"),
    "picture": ("binary", "the picture for people, a PNG or JPEG file"),
    "segments": ("binary", "superpixel of each pixel, a 16-bit grey PNG file (height, width)"),
    "object_mask": ("binary", "a 1-bit PNG file, white on the object; null without a mask"),
}
"""Columns of `pictures/`: type and meaning."""


SUMMARY_KEYS: dict[str, str] = {
    "format_version": "of `audit.json`, rows and summary",
    "findings": "plain sentences: what was looked at, then what was found, the most important first",
    "images, explained, failed, rows": "numbers of images and of rows",
    "errors": "message to number of images, the 20 most frequent",
    "failures": "position, path, label_name and error of the first 100 images that failed",
    "labelled, accuracy": "images with a known class, and the share of them that is predicted right",
    "below_chance": "whether that is worse than guessing, by two standard errors",
    "confusions": "predicted name to number, of wrong predictions",
    "wrong": "the 50 most certain wrong predictions, the most certain first",
    "r2, object_share, object_chance, swap_flip, background_certainty, object_certainty": (
        "means over images, as in the rows; null where no image has a value"
    ),
    "n": "number of images behind each of these means",
    "object_share_stderr, swap_flip_stderr": "standard deviation over images / square root of their number",
    "poor_fits": "number of images with R² below 0.2",
    "evidence_off_object": (
        "share of all positive evidence off the objects, whatever the class: by masks, else estimated by the boundary "
        "prior; null without evidence"
    ),
    "evidence_off_object_measured": "whether by masks",
    "judged, suspicious": (
        "number of classes that visual words could judge, and of those among them with a word that is proved, null if "
        "none was judged"
    ),
    "representatives": "images picked over all classes, each with position, class, name and words at work",
    "classes": "for each class `label`, `name`, the numbers above over its images, and the following",
    "classes: predictions": "number of images predicted as it",
    "classes: status, reason": (
        "what visual words say: passed, alarm, not tested or cannot say, and why not, over the images predicted as it"
    ),
    "classes: words, surroundings": (
        "the first six of `words.parquet`, with `proof` (proved, not proved, not tested; null where nothing looks "
        "suspicious) and its figures; share of the evidence of the suspicious ones, null where it was not judged"
    ),
    "classes: representatives": "images that are typical of it",
    "classes: shortcut_score, shortcut_score_from": (
        "the class's swap_flip where it was measured, else surroundings, and which of them it is"
    ),
}
"""Keys of `summary.json` and their meaning. They only grow within a format version."""


def rows_schema() -> Any:
    """The `pyarrow.Schema` of `rows/`, with the meaning of each column as its metadata."""
    return schema_of(ROW_COLUMNS)


def pictures_schema() -> Any:
    """The `pyarrow.Schema` of `pictures/`."""
    return schema_of(PICTURE_COLUMNS)


def schema_of(columns: dict[str, tuple[str, str]]) -> Any:
    """The `pyarrow.Schema` of columns that are described as above, with the meaning of each as its metadata."""
    import pyarrow as pa

    plain = {
        "binary": pa.binary(),
        "bool": pa.bool_(),
        "float32": pa.float32(),
        "float64": pa.float64(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "string": pa.string(),
        "uint16": pa.uint16(),
        "uint8": pa.uint8(),
    }
    fields = []
    for name, (kind, meaning) in columns.items():
        inner = kind.removeprefix("list<").removesuffix(">")
        found = pa.list_(plain[inner]) if inner != kind else plain[kind]
        fields.append(pa.field(name, found, metadata={"meaning": meaning}))
    return pa.schema(fields, metadata={"keras_lime_audit": str(FORMAT_VERSION)})
