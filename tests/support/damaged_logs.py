"""Logs that a reader has to cope with: damaged and newer records, changing targets, names of every kind."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG, encode, probe_tag, result_tag
from tests.support.synthetic_logs import Settings, make_probes, manifest_parts, probe_parts

NASTY = ("<script>alert(1)</script>", 'it\'s "quoted"', "a/b\\c", "two  words ", "🛑 &run=x", "../../etc/passwd")


def write_unreadable(folder: Path) -> None:
    """Writes a run of damaged and newer records beside whole ones."""
    newer = [json.dumps({"v": 2, "kind": "any"}).encode()]
    (probe,) = make_probes(Settings(n_probes=1, n_segments=9, size=16))
    with RunWriter(folder) as writer:
        writer.session_start(0)
        writer.record(MANIFEST_TAG, 0, manifest_parts(Settings(n_segments=9, size=16), [probe]))
        writer.record(MANIFEST_TAG, 1, newer)
        writer.record(probe_tag("p"), 0, probe_parts(Settings(n_segments=9, size=16), probe))
        writer.record(probe_tag("p"), 1, probe_parts(Settings(n_segments=9, size=16), probe)[:3])
        writer.record(probe_tag("newer"), 0, newer)
        coef = {"coef": np.ones((1, 4), np.float32), "targets": np.zeros(1, np.int32)}
        for step in range(6):
            whole = encode("result", {"predicted": step}, coef)
            writer.record(result_tag("p"), step, {2: newer, 3: newer, 4: whole[:2]}.get(step, whole))
        writer.record(result_tag("newer"), 0, newer)
        writer.record(SUMMARY_TAG, 0, encode("summary", {}, {}))


def write_ragged(folder: Path) -> None:
    """Writes a probe of which the targets change, and then the superpixels."""
    with RunWriter(folder) as writer:
        writer.session_start(0)
        for step, (targets, d) in enumerate([((1,), 7), ((1, 4), 4), ((4,), 4)]):
            t = len(targets)
            arrays: dict[str, NDArray[Any] | None] = {
                "targets": np.array(targets, np.int32),
                "coef": np.full((t, d), step, np.float32),
                "stderr": np.full((t, d), 0.1, np.float16) if step == 1 else None,
                "r2": np.full(t, np.nan, np.float32),
            }
            writer.record(result_tag("p"), step, encode("result", {"predicted": None}, arrays))
        for step, ids in ((0, [3, 1]), (2, [2, 1])):
            values: dict[str, NDArray[Any] | None] = {
                "class_ids": np.array(ids, np.int32),
                "class_r2": np.array(ids, np.float32) / 4,
                "r2": np.array(step, np.float32),
            }
            writer.record(SUMMARY_TAG, step, encode("summary", {}, values))
