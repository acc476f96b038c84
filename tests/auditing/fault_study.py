"""Audits that something happens to, again and again: does one ever end well with an image missing?

    python -m tests.auditing.fault_study                    24 faults of this process, 36 of a Ray cluster
    python -m tests.auditing.fault_study --local 6 --ray 0  a few

Every fault comes at a random moment of an audit of 40 images, drawn from the seed. What is counted: audits that ended
well and were whole, that said what is missing, that were killed; and after each of the latter two the same call once
more, which must leave the same files as an audit that nothing happened to. `lost` must be 0.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from keras_lime import audit
from keras_lime.auditing.storage.completeness import IncompleteAuditError
from tests.support.audits import FAST, slow_reader, write_folder

__all__ = ["LOCAL_FAULTS", "RAY_FAULTS", "study_local", "study_ray"]

ROOT = Path(__file__).resolve().parents[2]

SETTINGS: dict[str, Any] = {
    "verbose": 0,
    "report": False,
    "shard_size": 4,
    "output": "softmax",
    "image_size": (32, 32),
    **FAST,
}

IMAGES, SHARDS = 40, 10

SCRIPT = """
import sys
from keras_lime import audit
from tests.auditing.fault_study import SETTINGS
from tests.support.audits import slow_reader
audit(slow_reader, sys.argv[1], sys.argv[2], engine=sys.argv[3], workers=2, **SETTINGS)
"""


def _unlink(file: Path, rng: random.Random) -> None:
    del rng
    file.unlink()


def _truncate(file: Path, rng: random.Random) -> None:
    with file.open("rb+") as opened:
        opened.truncate(rng.randrange(file.stat().st_size))


def _scramble(file: Path, rng: random.Random) -> None:
    file.write_bytes(rng.randbytes(file.stat().st_size))


LOCAL_FAULTS = ("unlink", "truncate", "scramble", "kill")
RAY_FAULTS = ("kill worker", "kill node", "kill driver", "unlink", "truncate", "scramble")

_FILE_FAULTS: dict[str, Callable[[Path, random.Random], None]] = {
    "unlink": _unlink,
    "truncate": _truncate,
    "scramble": _scramble,
}


def _harm_a_file(out: Path, fault: str, rng: random.Random) -> None:
    """Harms one file of a shard that is done, its rows, its images or its manifest, unless the summary is there."""
    if (out / "summary.json").exists():
        return
    done = sorted(file.stem for file in (out / "shards").glob("part-*.json"))
    part, folder = rng.choice(done), rng.choice(("rows", "pictures", "shards"))
    _FILE_FAULTS[fault](out / folder / f"{part}.{'json' if folder == 'shards' else 'parquet'}", rng)


def _when(out: Path, shards: int, run: Callable[[], None]) -> threading.Thread:
    """Runs something in a thread once so many shards are done."""

    def watch() -> None:
        deadline = time.monotonic() + 120
        while len(list((out / "shards").glob("part-*.json"))) < shards and time.monotonic() < deadline:
            time.sleep(0.01)
        run()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("part-*"))}


class Study:
    """Counts what becomes of audits.

    Args:
        folder: where they are written.
        seed: of moments and files.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self._folder, self.rng = folder, random.Random(seed)
        self.data = write_folder(folder / "data", IMAGES)
        whole = audit(slow_reader, self.data, folder / "whole", **SETTINGS)
        self._whole, self._summary = _files(folder / "whole"), whole.summary
        self._tries = 0
        self.harmed = 0.0

    def out(self) -> Path:
        """A new folder for an audit."""
        self._tries += 1
        return self._folder / f"audit-{self._tries}"

    def harm(self, out: Path, fault: str) -> None:
        """Harms a file, and notes when."""
        _harm_a_file(out, fault, self.rng)
        self.harmed = time.time()

    def judge(self, fault: str, out: Path, run: Callable[[], Any]) -> None:
        """Runs an audit that something happens to, and the same once more without it."""
        self.counts["faults"] += 1
        try:
            found = run()
        except IncompleteAuditError:
            self.counts["said what is missing"] += 1
            found = None
        if found is not None:
            self.counts["ended well"] += 1
            if found.summary != self._summary or _files(out) != self._whole:
                self.counts["lost"] += 1
                files = _files(out)
                differing = [name for name, content in self._whole.items() if files.get(name) != content]
                ended = (out / "summary.json").stat().st_mtime
                print(f"LOST after {fault}: {differing}, {ended - self.harmed:.3f} s before the summary", flush=True)
            return
        again = audit(slow_reader, self.data, out, **SETTINGS)
        self.counts["whole after the next call"] += again.summary == self._summary and _files(out) == self._whole

    def killed(self, fault: str, out: Path, engine: str, environment: dict[str, str]) -> None:
        """Kills the process of an audit once some shards are done."""
        command = [sys.executable, "-c", SCRIPT, str(self.data), str(out), engine]
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, cwd=ROOT)
        moment = self.rng.randrange(SHARDS)
        while process.poll() is None and len(list((out / "shards").glob("part-*.json"))) < moment:
            time.sleep(0.01)
        time.sleep(self.rng.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.counts["killed"] += 1
        self.judge(fault, out, lambda: None)


def study_local(study: Study, count: int) -> None:
    """Faults of an audit in this process."""
    for number in range(count):
        fault, out = LOCAL_FAULTS[number % len(LOCAL_FAULTS)], study.out()
        if fault == "kill":
            study.killed(fault, out, "local", {"SLOW": "0.02"})
            continue
        _when(out, study.rng.randrange(1, SHARDS), partial(study.harm, out, fault))
        study.judge(fault, out, partial(audit, slow_reader, study.data, out, **SETTINGS))


def study_ray(study: Study, count: int, cluster: Any) -> None:
    """Faults of an audit on a cluster that this process is connected to."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        for number in range(count):
            fault, out = RAY_FAULTS[number % len(RAY_FAULTS)], study.out()
            if fault == "kill driver":
                study.killed(fault, out, "ray", {"RAY_ADDRESS": cluster.address})
                continue
            running = pool.submit(audit, slow_reader, study.data, out, engine="ray", workers=2, **SETTINGS)
            moment = study.rng.randrange(1, SHARDS - 1)
            while len(list((out / "shards").glob("part-*.json"))) < moment and not running.done():
                time.sleep(0.01)
            if fault == "kill worker":
                for process in _workers()[:1]:
                    os.kill(process, signal.SIGKILL)
            elif fault == "kill node":
                cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
                cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
            else:
                study.harm(out, fault)
            study.judge(fault, out, partial(running.result, 300))


def _workers() -> list[int]:
    """Process ids of workers of the cluster of this process."""
    import ray

    session = ray._private.worker.global_worker.node.session_name
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            title, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if title.startswith(b"ray::") and b"_Worker" in title and session.encode() in environment:
            found.append(int(process.name))
    return found


def main() -> None:
    """Reads the command line, studies and prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--local", type=int, default=24)
    parser.add_argument("--ray", type=int, default=36)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ |= {"RAY_worker_niceness": "0", "SLOW": "0.02"}
    with tempfile.TemporaryDirectory() as folder:
        study = Study(Path(folder), options.seed)
        study_local(study, options.local)
        print(f"in one process: {dict(study.counts)}", flush=True)
        if options.ray:
            import ray
            from ray.cluster_utils import Cluster

            node = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
            cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
            for _ in range(2):
                cluster.add_node(**node)
            variables = {"PYTHONPATH": str(ROOT), "SLOW": "0.05"}
            ray.init(address=cluster.address, log_to_driver=False, runtime_env={"env_vars": variables})
            study_ray(study, options.ray, cluster)
            ray.shutdown()
            cluster.shutdown()
        print(f"altogether: {dict(study.counts)}, lost: {study.counts['lost']}", flush=True)
    sys.exit(1 if study.counts["lost"] else 0)


if __name__ == "__main__":
    main()
