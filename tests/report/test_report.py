"""The report file: what it says, that nothing in a name can break out of it, and that its size is bounded."""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from keras_lime.api.report import write_report
from keras_lime.auditing.storage.image_codec import encode_image
from keras_lime.auditing.storage.row_batches import rows_at
from keras_lime.auditing.storage.schema import SUMMARY_KEYS
from keras_lime.auditing.summary import summarise
from keras_lime.report.from_log import log_content
from keras_lime.report.images import ReportImages
from keras_lime.tensorboard.plugin.event_files import logged_runs
from keras_lime.tensorboard.plugin.static_files import page_file
from tests.support.planted_audits import Planted, prover, write_audit
from tests.support.synthetic_logs import Settings, raise_alarm, write_run
from tests.support.worlds import background_reader
from tests.training.test_callback_shortcut import follow

EVIL = "<script>alert(1)</script>.png"

pytestmark = pytest.mark.skipif(page_file("report.js") is None, reason="the report's script is not built")


def data_of(file: Path) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', file.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = [f"{number % 3}/{number}.png" for number in range(60)]
    names[1], names[59] = EVIL, f"broken {EVIL}"
    planted = Planted(wrong=4, failed=2, names=names, class_names=("stop", "<b>yield</b>", "naïve & 停"))
    folder = write_audit(tmp_path_factory.mktemp("audit"), planted)
    summarise(folder, prove=prover(folder, planted))
    return folder


def test_an_audit_is_told(audit: Path, tmp_path: Path) -> None:
    file = write_report(audit, tmp_path / "new" / "report.html")
    data = data_of(file)
    (chapter,) = data["chapters"]
    summary = json.loads((audit / "summary.json").read_text("utf-8"))
    assert data["title"] == "Audit of an image classifier on planted"
    assert chapter["findings"] == summary["findings"]
    assert chapter["score"] == "words"
    assert {each["name"] for each in chapter["classes"]} == {"stop", "<b>yield</b>", "naïve & 停"}
    scores = [each["score"] for each in chapter["classes"]]
    assert scores == sorted(scores, reverse=True)
    assert all(each["words"][0]["suspicious"] for each in chapter["words"])
    assert {each["words"][0]["proof"]["status"] for each in chapter["words"]} == {"proved"}
    # One picture a class, of what was pasted.
    pictures = [[word["proof"]["picture"] for word in each["words"] if word["proof"]] for each in chapter["words"]]
    assert all(own[0].startswith("data:image/png;base64,") and not any(own[1:]) for own in pictures)
    assert chapter["wrong"]["count"] == 4
    wrong = [data["pictures"][place] for place in chapter["wrong"]["pictures"]]
    assert [each["value"] for each in wrong] == sorted((each["value"] for each in wrong), reverse=True)
    assert all(each["label"] != each["predicted"] for each in wrong)
    assert EVIL in {each["name"] for each in data["pictures"]}
    assert chapter["failed"] == {
        "count": 2,
        "rows": [
            {"name": "1/58.png", "error": "cannot identify image file"},
            {"name": f"broken {EVIL}", "error": "cannot identify image file"},
        ],
    }
    for each in chapter["words"]:
        for word in each["words"]:
            for place, segment in word["examples"]:
                assert segment < len(data["pictures"][place]["weights"])


def test_the_findings_are_sentences(audit: Path) -> None:
    findings = json.loads((audit / "summary.json").read_text("utf-8"))["findings"]
    assert findings[0] == (
        "60 images of the data set were audited. The model is right for 93 % of those with a known class. Every "
        "class seems to be recognised by its surroundings, not by the object alone."
    )
    assert any(sentence.startswith("“stop”: ") for sentence in findings)
    assert any(sentence.startswith("4 images are taken for another class.") for sentence in findings)
    assert findings[-1] == "2 images could not be explained. Most often: cannot identify image file."


@pytest.mark.parametrize("baseline", ["mean", "grey"])
def test_a_baseline_that_hides_shortcuts_is_named(tmp_path: Path, baseline: str) -> None:
    findings = summarise(write_audit(tmp_path, Planted(on_scene=0, baseline=baseline)))["findings"]
    assert findings[1].startswith("None of the 3 classes was found to be recognised by its surroundings")
    assert any("hidden superpixels showed their own mean colours" in each for each in findings) is (baseline == "mean")


def test_too_few_images_are_no_all_clear(tmp_path: Path) -> None:
    summary = summarise(write_audit(tmp_path, Planted(images=24, classes=4, on_scene=0)))
    assert [(each["status"], each["surroundings"]) for each in summary["classes"]] == [("cannot say", None)] * 4
    assert (summary["judged"], summary["suspicious"]) == (0, None)
    assert not any("was found to be recognised" in sentence for sentence in summary["findings"])
    assert summary["findings"][1] == (
        "4 classes were not judged by visual words: fewer than 20 images are predicted as it, too few for a no."
    )


def test_classes_that_could_not_be_judged_are_counted_apart(tmp_path: Path) -> None:
    folder = write_audit(tmp_path / "few", Planted(images=84, classes=4, pixels=2, on_scene=0, shard_size=21))
    summary = summarise(folder)
    assert (summary["judged"], summary["suspicious"]) == (4, 0)
    assert "None of the 4 classes was found" in summary["findings"][1]
    one = summarise(write_audit(tmp_path / "one", Planted(images=30, classes=1, on_scene=0)))
    assert (one["judged"], one["suspicious"]) == (0, None)
    assert one["classes"][0]["status"] == "not tested"
    assert any("no image is predicted as another class" in finding for finding in one["findings"])


@pytest.mark.parametrize(("wrong", "asks"), [(60, True), (41, False), (4, False)])
def test_below_chance_asks_about_the_order_of_the_classes(tmp_path: Path, wrong: int, asks: bool) -> None:
    summary = summarise(write_audit(tmp_path, Planted(wrong=wrong)))
    assert summary["below_chance"] is asks
    assert any("in the order of the model's outputs" in each for each in summary["findings"]) is asks


def test_the_keys_of_a_summary_are_documented(audit: Path) -> None:
    summary = json.loads((audit / "summary.json").read_text("utf-8"))
    documented: dict[str, set[str]] = {"": set(), "classes": set()}
    for names in SUMMARY_KEYS:
        of, _, rest = names.rpartition(": ")
        documented[of] |= set(rest.split(", "))
    assert set(summary) == documented[""]
    assert set(summary["classes"][0]) <= documented[""] | documented["classes"] | {"label", "name"}
    assert documented["classes"] <= set(summary["classes"][0])
    guide = (Path(__file__).parents[2] / "examples/guides/auditing.md").read_text("utf-8")
    for names, meaning in SUMMARY_KEYS.items():
        assert f"| {', '.join(f'`{name}`' for name in names.rpartition(': ')[2].split(', '))} | {meaning} |" in guide


def test_pictures_are_kept_as_they_are(audit: Path, tmp_path: Path) -> None:
    data = data_of(write_report(audit, tmp_path / "report.html"))
    stored = {row["path"]: row for row in rows_at(audit, "rows", range(60), ["path", "weights", "stderr"])}
    for entry in data["pictures"]:
        segments = np.frombuffer(zlib.decompress(base64.b64decode(entry["segments"])), "<u2")
        np.testing.assert_array_equal(np.bincount(segments), 36)
        assert (entry["height"], entry["width"]) == (36, 36)
        np.testing.assert_allclose(entry["weights"], stored[entry["name"]]["weights"], rtol=1e-3)
        np.testing.assert_allclose(entry["stderr"], stored[entry["name"]]["stderr"], rtol=1e-3)
        assert entry["file"].startswith("data:image/png;base64,")


def test_nothing_breaks_out_of_the_file(audit: Path, tmp_path: Path) -> None:
    text = write_report(audit, tmp_path / "report.html", title="</title><script>alert(2)</script>").read_text("utf-8")
    assert "<script>alert" not in text
    assert text.count("<script") == text.count("</script>") == 2
    assert text.count("<title>") == 1
    assert "&lt;/title&gt;" in text
    script = re.search(r"<script>(.*)</script>\n</body>", text, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}';" in policy[1]
    assert "http" not in policy[1]
    assert not re.search(r'(?:src|href)="(?!data:)', text.replace(script[1], ""))


def test_the_same_folder_gives_the_same_file(audit: Path, tmp_path: Path) -> None:
    one, other = (write_report(audit, tmp_path / name).read_bytes() for name in ("1.html", "2.html"))
    assert one == other
    assert not list(tmp_path.glob(".*"))


def test_no_palette_but_the_two(audit: Path, tmp_path: Path) -> None:
    assert data_of(write_report(audit, tmp_path / "safe.html", palette="blue-orange"))["palette"] == "blue-orange"
    with pytest.raises(ValueError, match="`palette` must be"):
        write_report(audit, tmp_path / "report.html", palette="rainbow")  # type: ignore[arg-type]


def test_what_holds_no_findings_is_refused(audit: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"audit.json\) or TensorBoard logs"):
        write_report(tmp_path, tmp_path / "report.html")
    with pytest.raises(ValueError, match="`source` must be a folder"):
        write_report(tmp_path / "nowhere", tmp_path / "report.html")
    with pytest.raises(ValueError, match="`out` must be the path of an HTML file"):
        write_report(audit, tmp_path)
    unfinished = write_audit(tmp_path / "unfinished", Planted(images=6))
    with pytest.raises(ValueError, match="`source` must be a finished audit"):
        write_report(unfinished, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_an_audit_in_which_all_failed(tmp_path: Path) -> None:
    folder = write_audit(tmp_path, Planted(images=4, failed=4))
    summary = summarise(folder)
    assert summary["findings"] == [
        "4 images of the data set were audited.",
        "4 images could not be explained. Most often: cannot identify image file.",
    ]
    data = data_of(write_report(folder, tmp_path / "report.html"))
    assert data["pictures"] == data["chapters"][0]["words"] == []


def test_many_classes_stay_within_bounds(tmp_path: Path) -> None:
    folder = write_audit(tmp_path, Planted(images=1200, classes=400, pixels=2, shard_size=256, wrong=100))
    summarise(folder)
    file = write_report(folder, tmp_path / "report.html")
    data = data_of(file)
    assert len(data["chapters"][0]["classes"]) == 400
    assert len(data["pictures"]) < 300
    assert file.stat().st_size < 2_000_000


def test_the_album_is_bounded_and_large_pictures_are_made_smaller() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (400, 600, 3)).astype(np.uint8)
    segments = (np.arange(400)[:, None] // 100) * 6 + np.arange(600) // 100
    about = {"name": "noise", "label": None, "predicted": None, "value": None, "target": "x", "r2": None}
    images = ReportImages(most_bytes=200_000)
    places = [images.add(about, encode_image(picture), segments, np.ones(24), None) for _ in range(8)]
    kept = [place for place in places if place is not None]
    assert 1 <= len(kept) < 8
    assert sum(len(each["file"]) + len(each["segments"]) for each in images.entries) <= 200_000
    entry = images.entries[0]
    assert (entry["width"], entry["height"]) == (256, 171)
    labels = np.frombuffer(zlib.decompress(base64.b64decode(entry["segments"])), "<u2").reshape(171, 256)
    assert (labels[0, 0], labels[-1, -1], len(np.unique(labels))) == (0, 23, 24)
    with Image.open(io.BytesIO(base64.b64decode(entry["file"].partition(",")[2]))) as opened:
        assert opened.size == (256, 171)


def test_a_training_of_fifty_epochs_is_one_small_file(tmp_path: Path) -> None:
    settings = Settings(n_probes=30, epochs=50, size=160, looks_at_object=0.1)
    probes = write_run(tmp_path / "logs", settings)
    raise_alarm(tmp_path / "logs", range(30, 50), "Predictions follow the background.")
    file = write_report(tmp_path / "logs", tmp_path / "report.html")
    assert file.stat().st_size < 10_000_000
    data = data_of(file)
    assert len(data["pictures"]) == 30
    run = logged_runs(tmp_path / "logs")[0]
    by_name = {picture["name"]: picture for picture in data["pictures"]}
    for probe in probes[:5]:
        epochs = by_name[probe.name]["epochs"]
        assert epochs["epochs"] == list(range(50))
        weights = np.frombuffer(base64.b64decode(epochs["weights"]), "<i2").reshape(50, -1) * epochs["scale"]
        for step, record in run.series(f"keras_lime/result/{probe.id}"):
            coef, targets = record.array("coef"), record.array("targets")
            assert coef is not None
            assert targets is not None
            row = targets.tolist().index(record.header["predicted"]) if record.header["predicted"] in targets else 0
            np.testing.assert_allclose(weights[step], coef[row], atol=epochs["scale"])
    curves = {curve["name"]: curve for curve in data["chapters"][0]["curves"]}
    assert {"right", "evidence on the object", "R²"} <= set(curves)
    assert all(len(curve["values"]) == 50 for curve in curves.values())
    assert data["alarms"] == [{"run": None, "epoch": 30, "sentence": "Predictions follow the background."}]
    assert (data["runs"][0]["alarm"], data["runs"][0]["status"]) == (30, "alarm")


def test_of_a_long_training_some_epochs_are_kept(tmp_path: Path) -> None:
    write_run(tmp_path / "logs", Settings(n_probes=2, epochs=150, size=32))
    (first, _) = data_of(write_report(tmp_path / "logs", tmp_path / "report.html"))["pictures"]
    kept = first["epochs"]["epochs"]
    assert len(kept) == 60
    assert (kept[0], kept[-1]) == (0, 149)


def test_linked_runs_are_told_as_tensorboard_shows_them(tmp_path: Path) -> None:
    write_run(tmp_path / "elsewhere" / "run", Settings(n_probes=2, epochs=2, size=32))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    # A link back up would never end.
    (tmp_path / "elsewhere" / "up").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (logs / "here").symlink_to(logs, target_is_directory=True)
    assert [run.name for run in logged_runs(logs)] == ["linked/run"]


def test_damaged_files_are_named_in_one_sentence(audit: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    log = tmp_path / "log"
    write_run(log, Settings(n_probes=2, epochs=2, size=32))
    sources = {"audit": (audit, ("summary.json", "audit.json", "words.parquet")), "log": (log, ("*tfevents*",))}
    tries = survived = 0
    for name, (source, patterns) in sources.items():
        for pattern in patterns:
            for number in range(30):
                copy = tmp_path / f"{name}-{number}"
                shutil.copytree(source, copy)
                file = next(copy.glob(pattern))
                file.write_bytes(_mutated(file.read_bytes(), rng))
                tries += 1
                said = _report_or_refusal(copy)
                survived += said is None
                assert said is None or str(copy) in said
                shutil.rmtree(copy)
    print(f"{tries} damaged files: {survived} reports, {tries - survived} refused in a sentence")
    assert 0 < survived < tries == 120


def _report_or_refusal(source: Path) -> str | None:
    """What is wrong with a folder, None if it gives a report; any other kind of error ends the test."""
    try:
        write_report(source, source / "report.html")
    except ValueError as error:
        return str(error)
    return None


def _mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut off, with bytes changed, or with another JSON value somewhere."""
    kind = int(rng.integers(3))
    if kind == 0:
        return content[: int(rng.integers(len(content)))]
    if kind == 1 or content[:1] != b"{":
        changed = bytearray(content)
        for place in rng.integers(len(content), size=3):
            changed[int(place)] = int(rng.integers(256))
        return bytes(changed)
    values = json.loads(content)
    names = list(values)
    values[names[int(rng.integers(len(names)))]] = [None, 7, "text", [], {}, [1], {"a": 1}][int(rng.integers(7))]
    return json.dumps(values).encode()


def test_numbers_that_are_not_finite_become_null() -> None:
    images = ReportImages()
    about = {"name": "x", "label": None, "predicted": None, "value": None, "target": "x", "r2": None}
    segments = np.arange(16).reshape(4, 4) // 8
    images.add(about, encode_image(np.zeros((4, 4, 3), np.uint8)), segments, [0.123456, np.nan], [np.inf, 0.01])
    assert images.entries[0]["weights"] == [0.1235, 0]
    assert images.entries[0]["stderr"] == [None, 0.01]


def test_a_log_is_told_run_by_run(tmp_path: Path) -> None:
    settings = Settings(n_probes=6, epochs=3)
    probes = write_run(tmp_path / "logs" / "honest" / "lime", settings)
    write_run(tmp_path / "logs" / "biased" / "lime", replace(settings, looks_at_object=0.1, masks=False))
    data = data_of(write_report(tmp_path / "logs", tmp_path / "report.html"))
    biased, honest = data["chapters"]
    assert (biased["title"], honest["title"]) == ("biased/lime", "honest/lime")
    assert "the newest logged epoch is 2" in honest["findings"][0]
    assert any("lies on the object" in sentence for sentence in honest["findings"])
    assert not any("lies on the object" in sentence for sentence in biased["findings"])
    shown = [data["pictures"][place] for group in honest["typical"] for place in group["pictures"]]
    shown += [data["pictures"][place] for place in honest["wrong"]["pictures"]]
    assert {each["name"] for each in shown} == {probe.name for probe in probes}
    run = next(run for run in logged_runs(tmp_path / "logs") if run.name == "honest/lime")
    by_name = {each["name"]: each for each in shown}
    for probe in probes:
        found = run.newest(f"keras_lime/result/{probe.id}")
        assert found is not None
        assert found[0] == 2
        entry, record = by_name[probe.name], found[1]
        row = record.arrays["targets"].tolist().index(record.header["predicted"])
        np.testing.assert_allclose(entry["weights"], record.arrays["coef"][row], rtol=1e-3, atol=1e-6)
        assert base64.b64decode(entry["file"].partition(",")[2]).startswith(b"\x89PNG")


def test_reliance_comes_with_its_error_and_its_control(tmp_path: Path) -> None:
    follow(background_reader(), tmp_path / "new")
    write_run(tmp_path / "old", Settings(n_probes=2, epochs=2, size=32, older=True))
    content = log_content(tmp_path)
    new, old = content["runs"]
    assert (new["reliance"], new["reliance_stderr"]) == (pytest.approx(1), pytest.approx(0.03, abs=0.005))
    assert (old["reliance"], old["reliance_stderr"]) == (None, None)
    told = content["chapters"][0]["findings"]
    assert any("100 ± 3 % of the predictions follow the class of the background." in sentence for sentence in told)
    assert any("same class are the control: on these 0 % of the predictions change" in sentence for sentence in told)
    curves = {curve["name"]: curve for curve in content["chapters"][0]["curves"]}
    assert curves["predictions that follow the class of the background"]["values"] == pytest.approx([1, 1, 1])
    assert not any("control" in sentence for sentence in content["chapters"][1]["findings"])


def test_a_session_that_restarts_takes_later_steps_away(tmp_path: Path) -> None:
    write_run(tmp_path, Settings(n_probes=2, epochs=5))
    write_run(tmp_path, Settings(n_probes=2, epochs=1, first_epoch=2))
    (run,) = logged_runs(tmp_path)
    found = run.newest("keras_lime/summary")
    assert found is not None
    assert found[0] == 2


def test_a_log_that_is_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    write_run(tmp_path, Settings(n_probes=2, epochs=5))
    (file,) = tmp_path.glob("*tfevents*")
    file.write_bytes(file.read_bytes()[:-37])
    assert "newest logged epoch" in log_content(tmp_path)["chapters"][0]["findings"][0]


def test_a_report_of_a_log_imports_neither_keras_nor_tensorflow(tmp_path: Path) -> None:
    write_run(tmp_path / "run", Settings(n_probes=2, epochs=1))
    code = (
        "import sys; from keras_lime.api.report import write_report; "
        f"write_report({str(tmp_path / 'run')!r}, {str(tmp_path / 'report.html')!r}); "
        "print([name for name in ('keras', 'tensorflow', 'torch', 'jax') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
