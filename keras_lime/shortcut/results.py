"""What a shortcut test found: its status with a reason, and the numbers behind it. Imports numpy alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LEAST_CLASS_PROBES",
    "LEAST_PROBES",
    "LEAST_SWAP_PROBES",
    "Findings",
    "Measurement",
    "Obstacle",
    "Predictions",
    "Status",
    "TestResult",
    "at_probes",
    "overall_status",
]

LEAST_PROBES, LEAST_CLASS_PROBES = 8, 5
"""Fewer probes measure but say nothing for sure, altogether and for a class by itself."""

LEAST_SWAP_PROBES = 30
"""Fewer probes give no verdict on the background."""


class Status(StrEnum):
    """What a test result says. A program may act on it: only `PASSED` is an all-clear."""

    PASSED = "passed"
    ALARM = "alarm"
    NOT_TESTED = "not tested"
    CANNOT_SAY = "cannot say"


@dataclass(frozen=True)
class Obstacle:
    """Why a test cannot be made.

    Attributes:
        reason: a sentence.
        remedy: what to do about it, a sentence; empty where nothing helps.
        status: what the test's result says then. Defaults to `Status.NOT_TESTED`.
    """

    reason: str
    remedy: str = ""
    status: Status = Status.NOT_TESTED

    def __str__(self) -> str:
        return f"{self.reason} {self.remedy}".rstrip()


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model predicts for the unchanged probes.

    Attributes:
        classes: int array (n,), the predicted classes.
        values: float array (n,), their probabilities.
        n_classes: number of the model's classes.
        class_names: their names, or None.
    """

    classes: NDArray[np.int64]
    values: NDArray[np.float64]
    n_classes: int
    class_names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Measurement:
    """A number that can raise the alarm.

    Attributes:
        test: name of the test.
        value: share of the predictions that change, or fall of probability, or what the test measures.
        stderr: its standard error over the probes; NaN where it is unknown.
        threshold: the value above which it counts.
        fires: whether it is above, beyond doubt where many numbers are looked at.
        label: the class that it was measured on, or None for all probes.
        class_title: the name of that class, or None.
        region: the part of the images that it was measured on, or None.
    """

    test: str
    value: float
    stderr: float
    threshold: float
    fires: bool
    label: int | None = None
    class_title: str | None = None
    region: str | None = None

    @property
    def key(self) -> tuple[str, int | None, str | None]:
        """What makes two epochs' measurements the same one."""
        return self.test, self.label, self.region

    @property
    def kind(self) -> str:
        """`"swap"`, or `"class swap"` for a class by itself: the name in logs."""
        return self.test if self.label is None else f"class {self.test}"

    @property
    def subject(self) -> str:
        """`"stop, top border"`, `"stop"`, `"top border"` or nothing: what it was measured on, for people."""
        return ", ".join(part for part in (self.class_title, self.region) if part is not None)


@dataclass(frozen=True, eq=False)
class Findings:
    """What running a test gives.

    Attributes:
        measurements: the numbers that can raise the alarm, those over all probes first.
        statistics: numbers for charts and logs by name; NaN is left out there.
        n_probes: how many probes were tested.
        doubt: why the test cannot tell, though it was made: a sentence; empty where it can.
        remedy: what to do about the doubt, a sentence; may be empty.
        least_probes: fewer probes give no verdict. Defaults to `8`.
        details: the test's own answers, for those who know the test.
        gaps: what it does not cover, in sentences.
        probe_values: name for people → float array (n,), a number for each probe, lower is better and NaN where it was
            not tested: what two models can be compared by, probe by probe. Defaults to nothing.
        deciding: name of the probe value by which one of two models is better; empty where all of them only explain.
    """

    measurements: tuple[Measurement, ...]
    statistics: Mapping[str, float]
    n_probes: int
    doubt: str = ""
    remedy: str = ""
    least_probes: int = LEAST_PROBES
    details: Any = None
    gaps: tuple[str, ...] = ()
    probe_values: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    deciding: str = ""


@dataclass(frozen=True, eq=False)
class TestResult:
    """One test at one epoch.

    Attributes:
        test: name of the test, such as `"swap"`.
        status: what it says.
        reason: why that, in sentences.
        sentence: what was measured, in sentences; empty where nothing was.
        findings: the numbers, or None where the test was not made.
        remedy: what to do where it was not made, or cannot say; may be empty.
        stands_in: whether it only stands in for another test that cannot be made, and gives no all-clear by itself.
    """

    __test__ = False  # pytest takes every class of this name for its own

    test: str
    status: Status
    reason: str
    sentence: str = ""
    findings: Findings | None = None
    remedy: str = ""
    stands_in: bool = False

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """The numbers that can raise the alarm."""
        return () if self.findings is None else self.findings.measurements

    @property
    def statistics(self) -> Mapping[str, float]:
        """Numbers for charts and logs by name."""
        return {} if self.findings is None else self.findings.statistics

    @property
    def details(self) -> Any:
        """The test's own answers, or None."""
        return None if self.findings is None else self.findings.details


def overall_status(results: Sequence[TestResult]) -> Status:
    """What several tests say together: alarm, cannot say, passed or not tested, the first that one of them says.

    A test that stands in for another gives an alarm, but no all-clear and no doubt: its part of the picture is small.
    """
    if any(result.status is Status.ALARM for result in results):
        return Status.ALARM
    said = {result.status for result in results if not result.stands_in}
    order = (Status.CANNOT_SAY, Status.PASSED)
    return next((status for status in order if status in said), Status.NOT_TESTED)


def at_probes(values: NDArray[np.float64], probes: NDArray[np.int64], n_probes: int) -> NDArray[np.float64]:
    """Values of some probes at their places among all of them, (n,); NaN elsewhere.

    Args:
        values: float array (m,).
        probes: int array (m,), their positions.
        n_probes: n, how many probes there are.
    """
    placed = np.full(n_probes, np.nan)
    placed[probes] = values
    return placed
