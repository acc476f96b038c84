"""A few faults of each kind; `python -m tests.auditing.fault_study` injects sixty, on a Ray cluster too."""

from pathlib import Path

import pytest

from tests.auditing.fault_study import LOCAL_FAULTS, Study, study_local


@pytest.mark.slow
def test_no_audit_ends_well_with_an_image_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOW", "0.01")
    study = Study(tmp_path, seed=1)
    count = 2 * len(LOCAL_FAULTS)
    study_local(study, count)
    print(dict(study.counts))
    assert study.counts["faults"] == count
    assert study.counts["lost"] == 0
    assert study.counts["killed"] == 2
    interrupted = study.counts["said what is missing"] + study.counts["killed"]
    assert study.counts["whole after the next call"] == interrupted
    # A file that was harmed before its shard's end is not always noticed as such: some audits end well.
    assert study.counts["ended well"] + interrupted == count
