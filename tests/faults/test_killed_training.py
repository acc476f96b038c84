"""A training that is killed loses nothing that it has said to have written. Seeded; `-m slow` kills more often."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keras_lime.tensorboard.records import SUMMARY_TAG
from tests.support.events import read_events

CODE = """
import sys
from tests.support.worlds import object_reader
from tests.training.test_callback_shortcut import callback
lime = callback({folder!r})
for epoch in range({first}, {first} + 10_000):
    lime.explain(object_reader(), epoch)
    print(epoch, flush=True)
"""


def _killed(folder: Path, first: int, seconds: float) -> int:
    """Trains until it is killed some time after its first epoch; the last epoch that it has said to have written."""
    code = CODE.format(folder=str(folder), first=first)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline())]
        time.sleep(seconds)
        process.kill()
        said += [int(line) for line in process.stdout.read().splitlines()]
    return said[-1]


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_and_resumed_again_and_again(tmp_path: Path, kills: int) -> None:
    rng, first = random.Random(0), 0
    for _ in range(kills):
        last = _killed(tmp_path, first, rng.uniform(0, 0.5))
        steps = list(read_events(tmp_path / "lime").records(SUMMARY_TAG))
        # The epoch after the last one said may have been written whole already.
        assert steps in (list(range(last + 1)), list(range(last + 2)))
        first = last + 1
    print(f"{kills} kills, {first} epochs said to be written, 0 lost")
    assert [path.name for path in tmp_path.iterdir()] == ["lime"]
