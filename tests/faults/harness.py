"""One harness for faults: each campaign draws faults from a seed and counts what became of them.

    python -m tests.faults.harness            as many as the suite injects
    python -m tests.faults.harness --times 50   many more

A fault is survived if what was said to be there is there, or if the failure is said in the way that callers can rely on
(a `ValueError`, an `OSError`, an answer below 500). Everything else is lost, and lost must be 0.
"""

import argparse
import errno
import random
import string
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from keras_lime import Explanation, explain, write_report
from keras_lime.exceptions import LimeWarning
from keras_lime.tensorboard.plugin.event_files import logged_runs
from keras_lime.tensorboard.records import SUMMARY_TAG, RecordError, decode, encode
from tests.support.events import read_events
from tests.support.serving import PREFIX, client_of, provider_of
from tests.support.synthetic_logs import Settings, make_probes, manifest_parts, result_arrays, write_run
from tests.support.worlds import object_reader, squares
from tests.training.test_callback_shortcut import callback

__all__ = ["CAMPAIGNS", "Campaign", "Counts"]

ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.ESTALE, errno.EFBIG, errno.ENODEV, errno.EROFS)
LOG = Settings(n_probes=2, epochs=3, n_segments=9, size=16)
ROUTES = ("manifest", "summary", "series", "segments", "picture", "swaps", "index.js", "", "nothing")
QUERIES = ("run", "probe", "step", "tag", "target", "x")
SECONDS = 20.0
"""What one fault may take."""


@dataclass
class Counts:
    """What became of the faults of a campaign."""

    tries: int = 0
    survived: int = 0
    lost: list[str] = field(default_factory=list)

    @contextmanager
    def fault(self, what: str) -> Iterator[None]:
        """Counts one fault: survived if nothing is raised in time."""
        self.tries += 1
        began = time.monotonic()
        try:
            yield
        except Exception as error:
            self.lost.append(f"{what}: {type(error).__name__}: {error}"[:300])
            return
        if time.monotonic() - began > SECONDS:
            self.lost.append(f"{what}: took {time.monotonic() - began:.0f} s")
        else:
            self.survived += 1

    def __str__(self) -> str:
        return f"{self.tries} tries, {self.survived} survived, {len(self.lost)} lost"


Campaign = Callable[[Path, random.Random, int], Counts]


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Bytes with one to four changes: a bit flipped, a piece cut, doubled, scrambled or emptied, or the end cut off."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(data)) if data else 0
        end = min(len(data), start + rng.choice((1, 4, 64, 4096)))
        match rng.randrange(6):
            case 0 if data:
                data[start] ^= 1 << rng.randrange(8)
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = data[start:end]
            case 3:
                data[start:end] = rng.randbytes(end - start)
            case 4:
                data[start:end] = bytes(end - start)
            case _:
                del data[start:]
    return bytes(data)


class _FailingFile:
    """An open file of which some writes fail, after they took some bytes."""

    def __init__(self, file: Any, rng: random.Random) -> None:
        self._file, self._rng = file, rng
        self.fails = False

    def write(self, content: Any) -> int:
        if not self.fails:
            return int(self._file.write(content))
        if self._rng.random() < 0.5:
            self.fails = self._rng.random() < 0.5
            return int(self._file.write(content[: self._rng.randrange(1, len(content) + 1)]))
        raise OSError(self._rng.choice(ERRORS), "injected")

    def truncate(self, size: int) -> int:
        if self._rng.random() < 0.3:
            raise OSError(errno.EIO, "injected")
        return int(self._file.truncate(size))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def failing_disks(folder: Path, rng: random.Random, times: int) -> Counts:
    """Disks that refuse at random epochs: an epoch that was not said to be missing is in the log."""
    counts, written = Counts(), set()
    lime = callback(folder)
    lime.explain(object_reader(), 0)
    for epoch in range(1, times + 1):
        assert lime._journal is not None
        opened: Any = lime._journal.log._writer._file
        if not isinstance(opened._file, _FailingFile):
            opened._file = _FailingFile(opened._file, rng)
        opened._file.fails = rng.random() < 0.6
        counts.tries += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", LimeWarning)
                lime.explain(object_reader(), epoch)
        except OSError:
            # It was said.
            counts.survived += 1
        else:
            written.add(epoch)
        opened._file.fails = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LimeWarning)
        lime.close()
    there = set(read_events(folder / "lime").records(SUMMARY_TAG))
    counts.survived += len(written & there)
    counts.lost += [f"epoch {epoch} is missing" for epoch in sorted(written - there)]
    return counts


def mutated_records(folder: Path, rng: random.Random, times: int) -> Counts:
    """Records of which bytes were changed: they are read, or refused as damaged."""
    del folder
    probe, counts = make_probes(LOG)[0], Counts()

    head, arrays = result_arrays(LOG, probe, 0)
    records = [manifest_parts(LOG, [probe]), encode("result", head, arrays)]
    for number in range(times):
        parts = list(rng.choice(records))
        place = rng.randrange(len(parts))
        parts[place] = mutate(parts[place], rng)
        with counts.fault(f"record {number}"):
            try:
                decode(parts)
            except RecordError:
                continue
    return counts


def mutated_logs(folder: Path, rng: random.Random, times: int) -> Counts:
    """Event files of which bytes were changed, through the reader, the plugin and the report."""
    counts, log_dir = Counts(), folder / "logs"
    write_run(log_dir / "lime", LOG)
    write_run(log_dir / "whole", LOG)
    (file,) = (log_dir / "lime").iterdir()
    content = file.read_bytes()
    for number in range(times):
        file.write_bytes(mutate(content, rng))
        with counts.fault(f"log {number}"):
            assert "whole" in [run.name for run in logged_runs(log_dir)]
            try:
                write_report(log_dir, folder / "report.html")
            except ValueError as error:
                if "`source` holds" not in str(error):
                    raise
            with provider_of("slow", log_dir, {"whole": LOG.epochs - 1}) as provider:
                client = client_of(provider)
                for probe in make_probes(LOG):
                    for route in ("manifest", "series", "summary", "segments", "picture"):
                        response = client.get(f"{PREFIX}/{route}", query_string={"run": "lime", "probe": probe.id})
                        assert response.status_code < 500, (route, response.text)
    return counts


def fuzzed_routes(folder: Path, rng: random.Random, times: int) -> Counts:
    """Requests of every kind to the plugin within TensorBoard's own application."""
    counts, log_dir = Counts(), folder / "logs"
    probe = write_run(log_dir / "lime", LOG)[0]
    values = ("lime", probe.id, "0", "-1", "1e999", "9" * 400, "", "\0", "../..", "%00", "lime/..", "🛑", "null", "[]")
    with provider_of("slow", log_dir, {"lime": LOG.epochs - 1}) as provider:
        client = client_of(provider)
        for _ in range(times):
            route = rng.choice(ROUTES) + rng.choice(("", "", "", "/", "/..", "%2f", "".join(rng.sample("ab/%.", 3))))
            query = [(name, rng.choice(values)) for name in rng.choices(QUERIES, k=rng.randrange(5))]
            if rng.random() < 0.3:
                query.append(
                    ("".join(rng.choices(string.printable, k=8)), "".join(rng.choices(string.printable, k=30)))
                )
            method = rng.choice(("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE"))
            with counts.fault(f"{method} {route} {query}"):
                response = client.open(f"{PREFIX}/{route}", method=method, query_string=dict(query))
                assert response.status_code < 500, (response.status_code, response.text[:200])
    return counts


def mutated_archives(folder: Path, rng: random.Random, times: int) -> Counts:
    """Saved explanations of which bytes were changed: they load, or `ValueError` names the file."""
    counts, file = Counts(), folder / "explanation.npz"
    images, _, _ = squares(1, seed=0)
    found = explain(object_reader(), images[0], segmentation="grid", n_segments=9, num_samples=32, baseline="grey")
    found.save(file)
    content = file.read_bytes()
    for number in range(times):
        file.write_bytes(mutate(content, rng))
        with counts.fault(f"archive {number}"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                loaded = Explanation.load(file)
            except ValueError as error:
                if str(file) not in str(error):
                    raise
            else:
                assert np.shape(loaded.fit.coef) == np.shape(found.fit.coef)
    return counts


CAMPAIGNS: dict[str, tuple[Campaign, int]] = {
    "failing disks": (failing_disks, 20),
    "mutated records": (mutated_records, 300),
    "mutated logs": (mutated_logs, 12),
    "fuzzed routes": (fuzzed_routes, 300),
    "mutated archives": (mutated_archives, 100),
}
"""By name, with how many faults the suite injects."""


def main() -> None:
    """Runs all campaigns and prints their counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name, (campaign, count) in CAMPAIGNS.items():
        with tempfile.TemporaryDirectory() as folder:
            counts = campaign(Path(folder), random.Random(options.seed), count * options.times)
            print(f"{name}: {counts}", *counts.lost[:5], sep="\n  ", flush=True)


if __name__ == "__main__":
    main()
