"""A file is there whole or not at all."""

from pathlib import Path

import pytest

from keras_lime.core.atomic_write import atomic_write, atomic_write_bytes


def test_writes_and_replaces(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    assert atomic_write_bytes(file, b"one") == 3
    assert atomic_write_bytes(file, b"three") == 5
    assert file.read_bytes() == b"three"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise error

    with pytest.raises(type(error)):
        atomic_write(file, fail)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    atomic_write_bytes(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic_write_bytes(tmp_path / "missing" / "a.txt", b"x")
