"""What the plugin costs: size of the log, TensorBoard's start, time to answer, memory.

    python -m examples.benchmarks.plugin            64 probes × 500 epochs, 64 superpixels, 3 targets

The limits it is held to: a log under 60 MB, 0.3 s of import, 200 MB of memory for the plugin.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from tests.support.serving import PREFIX, get, get_json, tensorboard, wait_until
from tests.support.synthetic_logs import Settings, write_run

IMPORT_TIME = """
import time
from tensorboard import default, main, plugin_util, program
default.get_static_plugins()
start = time.perf_counter()
import keras_lime.tensorboard.plugin.loader
import keras_lime.tensorboard.plugin.routes
print(time.perf_counter() - start)
"""
T = TypeVar("T")
RUN = "run/lime"
TILES = 30


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n_probes", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=500)
    parser.add_argument("--n_segments", type=int, default=64)
    parser.add_argument("--n_targets", type=int, default=3)
    settings = Settings(**vars(parser.parse_args()))
    seconds = [float(run_python(IMPORT_TIME)) for _ in range(3)]
    print(f"plugin's import in TensorBoard's start: {min(seconds):.3f} s")
    with tempfile.TemporaryDirectory() as folder:
        log_dir = Path(folder)
        _, elapsed = timed(partial(write_run, log_dir / RUN, settings))
        size = sum(file.stat().st_size for file in (log_dir / RUN).iterdir())
        print(f"log: {size / 1e6:.1f} MB, made up and written in {elapsed:.1f} s")
        for load_fast in ("true", "false"):
            serve(log_dir, settings, load_fast)


def serve(log_dir: Path, settings: Settings, load_fast: str) -> None:
    """Measures a TensorBoard process with one of its loaders."""
    with tensorboard(log_dir, f"--load_fast={load_fast}") as address:
        process = process_id(log_dir)

        def ask(route: str, probe: str = "", **query: str) -> int:
            query = {"run": RUN, **({"probe": probe} if probe else {}), **query}
            return len(get(address, f"{PREFIX[1:]}/{route}", **query)[2])

        def entry() -> dict[str, object]:
            runs: list[dict[str, object]] = get_json(address, f"{PREFIX[1:]}/manifest")["runs"]
            return runs[0] if runs else {}

        wait_until(lambda: entry().get("newest_step") == settings.epochs - 1, seconds=300)
        time.sleep(6)  # one reload more, so that the memory measured first is TensorBoard's own
        before = memory(process)
        probes = [probe["id"] for probe in entry()["manifest"]["probes"]]  # type: ignore[index]
        print(f"--load_fast={load_fast}: {before:.0f} MB before the first request of a page")
        print(f"  manifest {timed(entry)[1]:.3f} s, summary {timed(partial(ask, 'summary'))[1]:.3f} s")
        with ThreadPoolExecutor(6) as browser:  # as many connections as a browser opens
            for route, query in (
                ("segments", {}),
                ("picture", {}),
                ("series", {"newest": "1"}),
                ("series", {}),
            ):
                asked = partial(ask, route, **query)
                sizes, elapsed = timed(lambda asked=asked: list(browser.map(asked, probes[:TILES])))  # type: ignore[misc]
                name = route + "".join(f"&{key}={value}" for key, value in query.items())
                print(f"  {len(sizes)} × {name}: {elapsed:.3f} s, {sum(sizes) / 1e6:.2f} MB unpacked")
            list(browser.map(partial(ask, "series"), probes))
        print(f"  memory for the plugin: {peak_memory(process) - before:.0f} MB at most")


def timed(action: Callable[[], T]) -> tuple[T, float]:
    """Returns the action's result and the seconds it took."""
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


def run_python(code: str) -> str:
    """Runs code in a fresh process and returns what it prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def process_id(log_dir: Path) -> int:
    """Returns the id of the TensorBoard process that shows this log directory."""
    for process in Path("/proc").glob("[0-9]*"):
        command = (process / "cmdline").read_bytes()
        if b"tensorboard.main" in command and str(log_dir).encode() in command:
            return int(process.name)
    raise RuntimeError("TensorBoard is not running.")


def memory(process: int, entry: str = "VmRSS") -> float:
    """Returns the resident memory of a process in MB (Linux)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(entry)) / 1e3


def peak_memory(process: int) -> float:
    """Returns the highest resident memory that a process ever had, in MB."""
    return memory(process, "VmHWM")


if __name__ == "__main__":
    main()
