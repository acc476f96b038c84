"""The schema, and a maintainer who adds a logged field to it: it reaches the routes and the page's types."""

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import keras_lime
from keras_lime import __version__
from keras_lime.tensorboard import schema
from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.plugin.reader import newer_notices
from keras_lime.tensorboard.records import SUMMARY_TAG, build, decode, encode, result_tag
from keras_lime.tensorboard.schema import AXES, JSON_TYPES, SCHEMA, Field
from keras_lime.tensorboard.typescript import TYPESCRIPT, typescript
from tests.support.serving import LOADERS, binary, client_of, provider_of
from tests.support.synthetic_logs import Settings, make_probes, result_arrays, summary_of

SETTINGS = Settings(n_probes=2, epochs=2, n_segments=9, size=16)
BRIGHTNESS = Field("result", "brightness", "float32", ("targets",), "0.2", "How bright it is.", optional=True)


def test_the_pages_types_are_up_to_date() -> None:
    # An installed package has no sources of the page: those of the checkout count.
    place = TYPESCRIPT.relative_to(Path(keras_lime.__file__).parent)
    source = (Path(__file__).parents[2] / "keras_lime" / place).read_text(encoding="utf-8")
    assert source == typescript(), "Run: python -m keras_lime.tensorboard.typescript"


def test_every_row_says_what_it_is() -> None:
    assert len({(row.record, row.name) for row in SCHEMA.fields}) == len(SCHEMA.fields)
    for row in SCHEMA.fields:
        assert re.fullmatch(r"[A-Z0-9].*[.]", row.meaning.replace("\n", " ")), row.meaning
        assert re.fullmatch(r"\d+[.]\d+", row.since), row
        if row.shape is None:
            assert row.dtype in JSON_TYPES, row
        else:
            assert set(row.shape) <= {*AXES, "*"}, row
            assert row.dtype == "*" or np.dtype(row.dtype).name == row.dtype, row


def test_it_imports_the_standard_library_alone() -> None:
    source = Path(schema.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:from|import) (\w+)", source, re.M)) == {"collections", "dataclasses", "math", "types"}
    assert [field.name for field in fields(Field)][:6] == ["record", "name", "dtype", "shape", "since", "meaning"]


@pytest.mark.parametrize("loader", LOADERS)
def test_a_new_field_arrives_in_the_pages_data(loader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = make_probes(SETTINGS)[0]
    header, arrays = result_arrays(SETTINGS, probe, 0)
    with pytest.raises(ValueError, match="must have a row in the schema.*'brightness'.*schema.py"):
        build("result", {**header, **arrays, "brightness": [0.25, 0.75]})
    monkeypatch.setattr(schema, "SCHEMA", SCHEMA.with_field(BRIGHTNESS))
    with RunWriter(tmp_path / "lime") as writer:
        writer.record(result_tag(probe.id), 0, build("result", {**header, **arrays, "brightness": [0.25, 0.75]}))
        writer.record(result_tag(probe.id), 1, build("result", {**header, **arrays}))
        writer.record(SUMMARY_TAG, 1, build("summary", summary_of(SETTINGS, [probe], 1)))
    with provider_of(loader, tmp_path, {"lime": 1}) as provider:
        served, meta = binary(client_of(provider), "series", run="lime", probe=probe.id)
    np.testing.assert_array_equal(served["brightness"], [[0.25, 0.75], [np.nan, np.nan]])
    assert meta["notices"] == []
    page = typescript(schema.SCHEMA)
    assert "/** How bright it is. */\n  readonly brightness: Float32Array | null; // (steps, targets)" in page
    assert '{ key: "brightness", name: "brightness", dtype: "float32", axes: ["targets"]' in page


def test_a_field_that_the_reader_does_not_know_gives_a_notice(tmp_path: Path) -> None:
    probe = make_probes(SETTINGS)[0]
    header, arrays = result_arrays(SETTINGS, probe, 0)
    with RunWriter(tmp_path / "lime") as writer:
        for step in range(3):
            parts = encode("result", {**header, "mood": "calm"}, {**arrays, "brightness": np.ones(2, np.float32)})
            writer.record(result_tag(probe.id), step, parts)
        writer.record(SUMMARY_TAG, 2, encode("summary", {}, {"entropy": np.ones(())}))
    with provider_of("slow", tmp_path, {"lime": 2}) as provider:
        client = client_of(provider)
        served, meta = binary(client, "series", run="lime", probe=probe.id)
        _, summary = binary(client, "summary", run="lime")
    assert served["coef"].shape == (3, 2, 9)
    (notice,) = meta["notices"]
    assert notice.endswith(
        "holds what this keras_lime does not know and does not show: mood, brightness. "
        "Upgrade keras_lime where TensorBoard runs."
    )
    assert "entropy" in summary["notices"][0]


@pytest.mark.parametrize(("name", "value"), [("r2", [0.5, 0.5, 0.5]), ("coef", [0.5]), ("flags", [[1, 2], [3, 4]])])
def test_arrays_that_do_not_fit_each_other_are_refused(name: str, value: object) -> None:
    header, arrays = result_arrays(SETTINGS, make_probes(SETTINGS)[0], 0)
    with pytest.raises(ValueError, match=f"`{name}` of a result record must have the axes .*Received: shape="):
        build("result", {"targets": [0, 1], **header, **arrays, name: value})


def test_a_record_keeps_the_dtypes_of_the_schema() -> None:
    record = decode(build("result", {"targets": [1], "coef": [[0.5, 1]], "stderr": [[0.1, 0.2]], "flags": [[1, 2]]}))
    dtypes = {name: array.dtype.name for name, array in record.arrays.items()}
    assert dtypes == {"targets": "int32", "coef": "float32", "stderr": "float16", "flags": "uint8"}


@pytest.mark.parametrize("version", ["99.0", "99", "0.999.1rc1"])
def test_a_log_of_a_newer_version_gives_a_notice(version: str) -> None:
    (notice,) = newer_notices(version)
    assert notice.startswith(f"keras_lime {version} wrote this log, and this TensorBoard has {__version__}")


@pytest.mark.parametrize("version", [__version__, "0.0.1", "nonsense", "", None, 7])
def test_a_log_of_this_or_an_older_version_gives_none(version: object) -> None:
    assert newer_notices(version) == []
