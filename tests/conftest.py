"""How the whole suite is spread over processes.

`pytest` without arguments uses several workers; a run of named tests uses none, since starting workers takes longer
than most files. Tests of one file stay together, and so do those of the page, which share servers and logs.
"""

import os

# With a thread for each processor, workers and Keras beside each other, the small matrices of the tests take ten times
# as long: the threads wait for one another. Said before anything loads NumPy, and to all processes that tests start.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

import hypothesis
import pytest

MOST_WORKERS = 4
"""Each worker holds a Keras backend of its own, about 1.5 GB."""


# Beside other workers an example of a property may take any time.
hypothesis.settings.register_profile("workers", deadline=None)
hypothesis.settings.load_profile("workers")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """The number of workers for `-n auto`: one a processor for the whole suite, 0 for tests that were named."""
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    return 0 if named else min(MOST_WORKERS, os.cpu_count() or 1)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Names the group whose tests one worker runs."""
    folder, _, _ = item.location[0].rpartition("/")
    item.add_marker(pytest.mark.xdist_group(folder if folder == "tests/browser" else item.location[0]))
