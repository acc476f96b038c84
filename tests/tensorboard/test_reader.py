from pathlib import Path

import pytest

from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG, encode, result_tag
from tests.support.serving import LOADERS, provider_of, reader_of, wait_until


@pytest.fixture(params=LOADERS)
def loader(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_not_there_is_empty(tmp_path: Path, loader: str) -> None:
    with RunWriter(tmp_path / "lime") as writer:
        writer.record(SUMMARY_TAG, 0, encode("summary", {}, {}))
    with provider_of(loader, tmp_path, {"lime": 0}) as provider:
        reader = reader_of(provider)
        assert reader.tags() == {"lime": {SUMMARY_TAG: 0}}
        assert reader.series("lime", "keras_lime/result/p") == ([], [])
        assert reader.newest("nowhere", SUMMARY_TAG) == ([], [])
        assert reader.manifests(["lime", "nowhere"]) == {"lime": (None, []), "nowhere": (None, [])}
        assert reader.manifests([]) == {}


def test_other_plugins_data_is_not_listed(tmp_path: Path, loader: str) -> None:
    with RunWriter(tmp_path / "lime") as writer:
        writer.record(SUMMARY_TAG, 0, encode("summary", {}, {}))
    with RunWriter(tmp_path / "train") as writer:
        writer.scalar("loss", 0, 1.0)
    with provider_of(loader, tmp_path, {"lime": 0}) as provider:
        assert list(reader_of(provider).tags()) == ["lime"]


@pytest.mark.parametrize(
    ("probes", "ids"),
    [(None, ()), ({"id": "a"}, ()), ([{"id": "a"}, {"name": "b"}, "c", {"id": 4}, {"id": "d"}], ("a", "d"))],
)
def test_malformed_manifests_list_what_can_be_listed(tmp_path: Path, probes: object, ids: tuple[str, ...]) -> None:
    with RunWriter(tmp_path / "lime") as writer:
        writer.record(MANIFEST_TAG, 0, encode("manifest", {"probes": probes}, {}))
        writer.record(SUMMARY_TAG, 0, encode("summary", {}, {}))
    with provider_of("slow", tmp_path, {"lime": 0}) as provider:
        manifest, _ = reader_of(provider).manifests(["lime"])["lime"]
    assert manifest is not None
    assert manifest.probe_ids == ids


def test_tensors_of_another_form_are_named(tmp_path: Path, loader: str) -> None:
    with RunWriter(tmp_path / "lime") as writer:
        writer.record(result_tag("p"), 0, [])
        writer.record(SUMMARY_TAG, 0, encode("summary", {}, {}))
    with provider_of(loader, tmp_path, {"lime": 0}) as provider:
        records, notices = reader_of(provider).series("lime", result_tag("p"))
    assert records == []
    assert notices == ["1 step of keras_lime/result/p left out: This is no keras_lime record: it is empty."]


def test_a_session_that_starts_while_tensorboard_reads(tmp_path: Path) -> None:
    def session(*steps: int) -> None:
        with RunWriter(tmp_path / "lime") as writer:
            writer.session_start(steps[0])
            for step in steps:
                writer.record(SUMMARY_TAG, step, encode("summary", {"steps": steps}, {}))
                writer.flush()

    session(0, 1, 2, 3)
    with provider_of("fast", tmp_path, {"lime": 3}) as provider:
        reader = reader_of(provider)
        session(2, 3, 4)
        wait_until(lambda: reader.tags()["lime"][SUMMARY_TAG] == 4)
        records, _ = reader.series("lime", SUMMARY_TAG)
    assert [entry.step for entry in records] == [0, 1, 2, 3, 4]
    assert records[2].record.header["steps"] == [2, 3, 4]
