import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tensorboard.compat.proto import summary_pb2
from tensorboard.data import provider as data
from tensorboard.util import tensor_util

from keras_lime.tensorboard.logging.event_writer import RunWriter, image_value, record_value, scalar_value, text_value
from keras_lime.tensorboard.plugin.reader import RunReader
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG, encode, probe_tag, result_tag
from tests.support.logged_image import logged_image
from tests.support.serving import LOADERS, provider_of, reader_of
from tests.support.synthetic_logs import Settings, make_probes, manifest_parts, png, result_arrays, write_run

EPOCHS = 150


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings]:
    """A run of 150 epochs with pictures for the Images tab."""
    log_dir = tmp_path_factory.mktemp("long")
    settings = Settings(n_probes=4, epochs=EPOCHS, n_segments=12, images=True, size=24)
    write_run(log_dir / "run 1" / "lime", settings)
    return log_dir, settings


@pytest.fixture(params=LOADERS)
def loader(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def small_files() -> Iterator[None]:
    """Lets files grow to 100 kB, as a disk does that fills up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, handler)


def steps_of(reader: RunReader, run: str, tag: str) -> list[int]:
    return [record.step for record in reader.series(run, tag)[0]]


def write_session(folder: Path, steps: range, marks: dict[str, int]) -> None:
    """Writes a session of which every record carries its mark."""
    with RunWriter(folder) as writer:
        writer.session_start(steps[0])
        for step in steps:
            for name, mark in marks.items():
                writer.record(result_tag(name), step, encode("result", {"mark": mark}, {}))
            writer.record(SUMMARY_TAG, step, encode("summary", {}, {}))
            writer.flush()


def test_what_is_written_is_read_back(long_run: tuple[Path, Settings], loader: str) -> None:
    log_dir, settings = long_run
    with provider_of(loader, log_dir, {"run 1/lime": EPOCHS - 1}) as provider:
        reader = reader_of(provider)
        assert list(reader.tags()) == ["run 1/lime"]
        for probe in make_probes(settings):
            records, notices = reader.series("run 1/lime", result_tag(probe.id))
            assert [record.step for record in records] == list(range(EPOCHS))
            assert notices == []
            for entry in records:
                header, arrays = result_arrays(settings, probe, entry.step)
                assert entry.record.header == header
                for name, array in arrays.items():
                    np.testing.assert_array_equal(entry.record.arrays[name], array)
            (stored,), _ = reader.newest("run 1/lime", probe_tag(probe.id))
            np.testing.assert_array_equal(stored.record.arrays["segments"], probe.segments)
            np.testing.assert_array_equal(logged_image(stored.record), probe.plan.image)
        assert steps_of(reader, "run 1/lime", SUMMARY_TAG) == list(range(EPOCHS))
        manifest, _ = reader.manifests(["run 1/lime"])["run 1/lime"]
        assert manifest is not None
        assert manifest.probe_ids == tuple(probe.id for probe in make_probes(settings))


def test_tensorboards_own_tabs_see_their_data(long_run: tuple[Path, Settings], loader: str) -> None:
    log_dir, settings = long_run
    with provider_of(loader, log_dir, {"run 1/lime": EPOCHS - 1}) as provider:
        ctx = reader_of(provider)._context
        scalars = provider.read_scalars(ctx, experiment_id="", plugin_name="scalars", downsample=1000)["run 1/lime"]
        assert sorted(scalars) == ["object_share", "probability", "r2"]
        assert [datum.step for datum in scalars["r2"]] == list(range(EPOCHS))
        images = provider.read_blob_sequences(ctx, experiment_id="", plugin_name="images", downsample=10)["run 1/lime"]
        first = make_probes(settings)[0]
        newest = images[f"lime/{first.name}"][-1]
        assert newest.step == EPOCHS - 1
        width, height, content = (provider.read_blob(ctx, blob_key=value.blob_key) for value in newest.values)
        assert (width, height, content) == (b"24", b"24", png(first.picture))


def test_resuming_at_an_earlier_step_replaces_what_came_after(tmp_path: Path, loader: str) -> None:
    folder = tmp_path / "lime"
    write_session(folder, range(10), {"kept": 1})
    write_session(folder, range(6, 9), {"kept": 2})
    with provider_of(loader, tmp_path, {"lime": 8}) as provider:
        records, _ = reader_of(provider).series("lime", result_tag("kept"))
    assert [(entry.step, entry.record.header["mark"]) for entry in records] == [
        *((step, 1) for step in range(6)),
        *((step, 2) for step in range(6, 9)),
    ]


def test_resuming_at_a_later_step_continues(tmp_path: Path, loader: str) -> None:
    for session in range(3):
        write_session(tmp_path / "lime", range(4 * session, 4 * session + 4), {"kept": session})
    with provider_of(loader, tmp_path, {"lime": 11}) as provider:
        assert steps_of(reader_of(provider), "lime", result_tag("kept")) == list(range(12))


def test_the_newest_manifest_lists_what_stands(tmp_path: Path, loader: str) -> None:
    settings = Settings(n_probes=3, epochs=4, n_segments=9, size=16)
    write_run(tmp_path / "lime", settings)
    probes = make_probes(settings)[1:]
    write_session(tmp_path / "lime", range(2, 4), {probe.id: 2 for probe in probes})
    with RunWriter(tmp_path / "lime") as writer:
        writer.session_start(4)
        writer.record(MANIFEST_TAG, 4, manifest_parts(settings, probes))
        writer.record(SUMMARY_TAG, 4, encode("summary", {}, {}))
    with provider_of(loader, tmp_path, {"lime": 4}) as provider:
        manifest, notices = reader_of(provider).manifests(["lime"])["lime"]
    assert manifest is not None
    assert manifest.probe_ids == tuple(probe.id for probe in probes)
    assert notices == []


def test_a_truncated_file_keeps_its_whole_records(tmp_path: Path, loader: str) -> None:
    write_session(tmp_path / "lime", range(5), {"kept": 1})
    (path,) = (tmp_path / "lime").iterdir()
    path.write_bytes(path.read_bytes()[:-40])
    with provider_of(loader, tmp_path, {"lime": 3}) as provider:
        assert steps_of(reader_of(provider), "lime", result_tag("kept")) == list(range(5))


def test_a_run_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "lime") as writer:
        writer.session_start(0)
        writer.record(SUMMARY_TAG, 0, encode("summary", {}, {}))
        writer.flush()
        with provider_of("fast", tmp_path, {"lime": 0}) as provider:
            writer.record(SUMMARY_TAG, 1, encode("summary", {}, {}))
            assert steps_of(reader_of(provider), "lime", SUMMARY_TAG) == [0]


@pytest.mark.usefixtures("small_files")
def test_a_full_disk_raises_and_leaves_a_readable_file(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "lime") as writer:
        writer.session_start(0)
        writer.record(SUMMARY_TAG, 0, encode("summary", {}, {}))
        writer.flush()
        size = writer.path.stat().st_size
        writer.record(
            result_tag("new"), 1, encode("result", {}, {"coef": np.random.default_rng(0).normal(size=20_000)})
        )
        with pytest.raises(OSError, match="too large"):
            writer.flush()
        assert writer.path.stat().st_size == size
        for step in (2, 3):
            writer.record(result_tag("new"), step, encode("result", {}, {}))
            writer.record(SUMMARY_TAG, step, encode("summary", {}, {}))
    for loader in LOADERS:
        with provider_of(loader, tmp_path, {"lime": 3}) as provider:
            assert steps_of(reader_of(provider), "lime", SUMMARY_TAG) == [0, 2, 3]
            assert steps_of(reader_of(provider), "lime", result_tag("new")) == [2, 3]


def test_never_imports_tensorflow_or_keras(tmp_path: Path) -> None:
    code = """
import sys
from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.records import build
with RunWriter(sys.argv[1]) as writer:
    writer.session_start(0)
    writer.record("keras_lime/result/a", 0, build("result", {"predicted": 1, "targets": [1], "coef": [[0.5, -0.5]]}))
    writer.scalar("r2", 0, 0.5)
    writer.image("overlay", 0, b"png", 3, 2)
    writer.text("note", 0, "*bold*")
print(sorted({"tensorflow", "keras", "jax", "torch", "skimage", "sklearn", "matplotlib"} & set(sys.modules)))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "lime")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout == "[]\n"


def test_values_name_their_plugin_and_data_class() -> None:
    values = {
        ("keras_lime", summary_pb2.DATA_CLASS_TENSOR): record_value("a", [b"{}", b"\0\0"]),
        ("scalars", summary_pb2.DATA_CLASS_SCALAR): scalar_value("a", 0.5),
        ("images", summary_pb2.DATA_CLASS_BLOB_SEQUENCE): image_value("a", b"png", 3, 2),
        ("text", summary_pb2.DATA_CLASS_TENSOR): text_value("a", "*bold*"),
    }
    for (plugin, data_class), value in values.items():
        assert (value.metadata.plugin_data.plugin_name, value.metadata.data_class) == (plugin, data_class)
    contents = [tensor_util.make_ndarray(value.tensor).tolist() for value in values.values()]
    assert contents == [[b"{}", b"\0\0"], 0.5, [b"3", b"2", b"png"], [b"*bold*"]]


def test_text_shows_in_both_loaders(tmp_path: Path, loader: str) -> None:
    with RunWriter(tmp_path / "lime") as writer:
        writer.text("note", 0, "# Fence")
        writer.record(SUMMARY_TAG, 0, encode("summary", {}, {}))
    with provider_of(loader, tmp_path, {"lime": 0}) as provider:
        ctx, wanted = reader_of(provider)._context, data.RunTagFilter(tags=["note"])
        found = provider.read_tensors(ctx, experiment_id="", plugin_name="text", downsample=10, run_tag_filter=wanted)
    assert found["lime"]["note"][0].numpy.tolist() == [b"# Fence"]


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "lime").write_text("")
    with pytest.raises(OSError, match="lime"):
        RunWriter(tmp_path / "lime")


def test_files_of_one_process_sort_in_order(tmp_path: Path) -> None:
    paths = []
    for _ in range(12):
        with RunWriter(tmp_path) as writer:
            paths.append(writer.path)
    assert paths == sorted(paths)
    assert sorted(os.listdir(tmp_path)) == [path.name for path in paths]


def test_closing_twice_and_writing_after(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.close()
    writer.close()
    assert writer.closed
    with pytest.raises(ValueError, match="This writer is closed.*Open a new `RunWriter`"):
        writer.scalar("r2", 0, 1.0)
