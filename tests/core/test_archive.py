"""Files of explanations: whole or not at all, and whatever is damaged is refused in one sentence that names it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_lime.core.explanation import Explanation
from tests.core.test_explanation import make

Members = dict[str, Any]


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return make()


@pytest.fixture
def file(explanation: Explanation, tmp_path: Path) -> Path:
    return explanation.save(tmp_path / "one.npz")


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    explanation: Explanation, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.savez_compressed", full)
    with pytest.raises(OSError, match="No space left"):
        explanation.save(file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def refusal(file: Path) -> str | None:
    """What `load` says of a file; None where it still is an explanation. Any other error fails the test."""
    try:
        Explanation.load(file)
    except ValueError as error:
        return str(error)
    return None


def refused(file: Path) -> bool:
    """Whether `load` refuses the file in the one way, without advice that would be dangerous."""
    message = refusal(file)
    if message is not None:
        assert str(file) in message
        assert "allow_pickle=True" not in message
    return message is not None


def test_damaged_files_are_refused_in_one_way(file: Path) -> None:
    """Seeded: cut off, bits flipped, bytes overwritten, parts left out."""
    whole, rng = file.read_bytes(), np.random.default_rng(0)
    tries = rejected = 0
    for _ in range(300):
        content = bytearray(whole)
        match int(rng.integers(4)):
            case 0:
                content = content[: int(rng.integers(len(whole)))]
            case 1:
                content[int(rng.integers(len(whole)))] ^= 1 << int(rng.integers(8))
            case 2:
                start = int(rng.integers(len(whole)))
                content[start : start + 40] = rng.bytes(40)
            case _:
                start, stop = sorted(int(at) for at in rng.integers(0, len(whole), 2))
                del content[start:stop]
        file.write_bytes(content)
        tries += 1
        rejected += refused(file)
    print(f"{tries} damaged files: {rejected} refused, {tries - rejected} read all the same")
    assert rejected > 0.9 * tries


def _without(name: str) -> Callable[[Members], Members]:
    return lambda members: {other: value for other, value in members.items() if other != name}


def _with(**changed: Any) -> Callable[[Members], Members]:
    return lambda members: members | changed


def _header(**changed: Any) -> Callable[[Members], Members]:
    def change(members: Members) -> Members:
        return members | {"header": np.array(json.dumps(json.loads(str(members["header"])) | changed))}

    return change


@pytest.mark.parametrize(
    "change",
    [
        _without("header"),
        _without("image"),
        _without("coef"),
        _without("sample_weights"),
        _without("log_odds"),
        _with(coef=np.zeros((2, 3))),
        _with(labels=np.zeros((64, 64), np.int32)),
        _with(labels=np.full((64, 64), -1)),
        _with(labels=np.zeros((3, 3), np.int32)),
        _with(image=np.zeros(5)),
        _with(image=np.zeros((64, 64, 3), complex)),
        _with(picture=np.zeros((64, 64), np.uint8)),
        _with(masks=np.zeros((7, 49), bool)),
        _with(masks=np.zeros((200, 49))),
        _with(object_mask=np.zeros((9, 9), bool)),
        _with(r2=np.array(["a", "b"])),
        _with(header=np.array("no json")),
        _with(header=np.array("[1, 2]")),
        _with(header=np.array([{"format": 1}], dtype=object)),
        _header(targets=None),
        _header(targets=[1]),
        _header(target_names=[]),
        _header(format="one"),
    ],
)
def test_what_does_not_fit_together_is_refused(file: Path, change: Callable[[Members], Members]) -> None:
    with np.load(file) as opened:
        members = dict(opened)
    np.savez(file, **change(members))
    assert refused(file)


def test_a_newer_format_says_so(file: Path) -> None:
    with np.load(file) as opened:
        members = dict(opened)
    np.savez(file, **_header(format=2)(members))
    with pytest.raises(ValueError, match="newer version of keras_lime.*Update"):
        Explanation.load(file)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no archive at all", bytes(4000)])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other.npz"
    file.write_bytes(content)
    assert refused(file)


def test_what_cannot_be_read_is_the_operating_systems_matter(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing.npz"):
        Explanation.load(tmp_path / "missing.npz")
    with pytest.raises(IsADirectoryError):
        Explanation.load(tmp_path)


def test_a_bomb_is_refused_before_it_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras_lime.core.archive._MOST_BYTES", 1 << 20)
    with np.load(file) as opened:
        members = dict(opened)
    np.savez_compressed(file, **members | {"baseline": np.zeros((1, 1 << 20), np.float32)})
    assert file.stat().st_size < 1 << 20
    assert refused(file)
    # What is not known is not read, however large it is.
    np.savez_compressed(file, **members | {"unknown": np.zeros(1 << 20, np.float32)})
    assert not refused(file)


def test_members_of_older_versions_may_be_missing(explanation: Explanation, file: Path) -> None:
    with np.load(file) as opened:
        members = dict(opened)
    del members["r2_adjusted"]
    header = json.loads(str(members["header"]))
    del header["shrinkage"]
    np.savez(file, **members | {"header": np.array(json.dumps(header)), "caveats": members["caveats"].astype(np.uint8)})
    found = Explanation.load(file)
    assert found.fit.r2_adjusted is None
    np.testing.assert_array_equal(found.r2, explanation.fit.r2)
    found.save(file)
    assert replace(found, name="again").name == "again"
