"""How the whole suite is spread over processes.

`pytest` without arguments uses several workers; a run of named tests uses none, since starting workers takes longer
than most files. Tests of one file stay together, and so do those of the page, which share servers and logs.
"""

import os

# With a thread for each processor, workers and Keras beside each other, the small matrices of the tests take ten times
# as long: the threads wait for one another. Said before anything loads NumPy, and to all processes that tests start.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

from typing import Any

import hypothesis
import pytest

MOST_WORKERS = 4
"""Each worker holds a Keras backend of its own, about 1.5 GB."""

LONGEST = (
    "tests/browser",
    "tests/auditing/test_ray.py",
    "tests/examples/test_stop_signs.py",
    "tests/tensorboard/test_hostile_logs.py",
    "tests/curing/test_cure.py",
    "tests/tensorboard/test_plugin_shortcut.py",
    "tests/training/test_callback.py",
    "tests/auditing/test_restart.py",
    "tests/scoring/test_engines.py",
    "tests/data/test_datasets.py",
    "tests/patterns/test_patterns.py",
    "tests/examples/test_notebooks.py",
    "tests/examples/test_benchmark.py",
    "tests/training",
    "tests/tensorboard",
    "tests/faults",
)
"""Files and folders that begin first: a long one at the end would leave the other workers without work."""


# Beside other workers an example of a property may take any time.
hypothesis.settings.register_profile("workers", deadline=None)
hypothesis.settings.load_profile("workers")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """The number of workers for `-n auto`: 0 for tests that were named, else one more than processors.

    Some of them always wait, for a browser, a server or Ray.
    """
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    return 0 if named else min(MOST_WORKERS, (os.cpu_count() or 1) + 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Gives each group of tests to one worker.

    The marker `xdist_group` would say the same, but pytest-xdist 3.8 does not see it under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    # Groups begin in the order of `pytest_collection_modifyitems`, not those of the most tests first.
    config.option.loadscopereorder = False
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest groups first; the order within a file stays."""

    def place(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(LONGEST) if group(item.nodeid).startswith(name)), len(LONGEST))

    items.sort(key=place)


def group(nodeid: str) -> str:
    """Whose fixtures a test shares: those of its file, or of the folder of the page's tests."""
    path, _, _ = nodeid.partition("::")
    folder, _, _ = path.rpartition("/")
    return folder if folder == "tests/browser" else path
