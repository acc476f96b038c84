"""The command line says what it does, does it, and says by its exit code how it went."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from keras_lime import Audit, Explanation
from keras_lime.cli import _COMMANDS, _for_the_command_line, main
from keras_lime.cli_options import LIMITED, parse
from keras_lime.core.phrases import percent
from keras_lime.core.settings import options
from keras_lime.tensorboard.plugin.static_files import page_file
from tests.curing.worlds import scenes
from tests.support.audits import classifier, png, write_folder
from tests.support.worlds import squares

CLASSES = ("a", "b", "c", "d")

FAST = ["--segmentation", "grid", "--n-segments", "9", "--num-samples", "32"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model and images by class."""
    folder = tmp_path_factory.mktemp("cli")
    classifier().save(folder / "model.keras")
    write_folder(folder / "data", 12, CLASSES)
    return folder


@pytest.mark.parametrize("command", [[], ["audit"], ["check"], ["explain"], ["report"], ["cure"]])
def test_help_teaches(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"keras-lime {command[0] if command else 'audit'}" in shown
    assert "examples:" in shown
    assert "exit codes:" in shown
    assert max(map(len, shown.splitlines())) < 115


def test_check(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "check.html"
    assert main(["check", str(place / "data"), "--out", str(page)]) == 0
    assert "Cannot say (12 images of 4 classes): The images are too few" in capsys.readouterr().out
    assert page.exists()
    assert main(["check", str(place / "data"), "--probes", str(place / "data"), "--fail-above", "0.2"]) == 3
    assert "Take other probes" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "nowhere")]) == 2
    assert "FOLDER must be a folder" in capsys.readouterr().err


def test_audit(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["audit", str(place / "model.keras"), str(place / "data"), "--out", str(tmp_path / "out")]
    arguments += ["--masks", str(place / "data-masks"), "--baseline", "grey", "--targets", "top2", "--seed", "3"]
    assert main([*arguments, *FAST, "--shard-size", "4", "--no-report"]) == 0
    shown = capsys.readouterr().out
    assert "audit: explaining 12 images" in shown
    assert "audit: 12 images in " in shown
    found = Audit.open(tmp_path / "out")
    assert f"accuracy      {percent(found.summary['accuracy'])}" in shown
    assert "object share" in shown
    assert "swap flip" in shown
    assert found.summary["rows"] == 24
    assert len(list(found.parts())) == 3
    assert found.rows(["num_samples"]).column(0).unique().to_pylist() == [32]
    capsys.readouterr()
    assert main([*arguments, *FAST, "--shard-size", "4", "--no-report", "--quiet"]) == 0
    assert "explaining" not in capsys.readouterr().out


@pytest.mark.skipif(page_file("report.js") is None, reason="the report's script is not built")
def test_report(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = ["audit", str(place / "model.keras"), str(place / "data"), "--out", str(out), "--quiet", *FAST]
    assert main(arguments) == 0
    assert f"report        {out / 'report.html'}" in capsys.readouterr().out
    assert main(["report", str(out), "--out", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").read_bytes() == (out / "report.html").read_bytes()
    assert main(["report", str(tmp_path / "nothing"), "--out", str(tmp_path / "no.html")]) == 2
    assert "SOURCE must be a folder" in capsys.readouterr().err


def test_audit_with_failures_exits_with_1(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_folder(tmp_path / "data", 8, CLASSES)
    (folder / "a" / "broken.jpg").write_bytes(b"nothing")
    (tmp_path / "names.txt").write_text("\n".join(CLASSES), encoding="utf-8")
    names = ["--class-names", str(tmp_path / "names.txt")]
    out = ["--out", str(tmp_path / "out"), "--no-report", "--quiet"]
    assert main(["audit", str(place / "model.keras"), str(folder), *out, *names, *FAST]) == 1
    shown = capsys.readouterr().out
    assert "9, 1 of them could not be explained" in shown
    assert "1 × it is no image, or of a kind that Pillow does not read" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "no.keras", "{data}", "--out", "{out}"], "MODEL must be a Keras model or a .keras file"),
        (["audit", "{model}", "nowhere", "--out", "{out}"], "DATA must be a folder"),
        (["audit", "{model}", "{data}", "--out", "{out}", "--num-samples", "1"], "--num-samples must be an integer"),
        (["audit", "{model}", "{data}", "--out", "{out}", "--segmentation", "slik"], "Did you mean 'slic'?"),
        (["audit", "{model}", "{data}", "--out", "{out}", "--class-names", "a", "b"], "--class-names must hold"),
        (["audit", "{model}", "{data}", "--out", "{data}"], "--out must be a new or empty folder"),
        (["explain", "{model}", "{image}", "--out", "{out}", "--image-size", "8", "8"], "--image-size must be"),
        (["audit", "{model}", "{data}", "--out", "a\0b"], "--out must be a path"),
        (["audit", "{model}\0", "{data}", "--out", "{out}"], "MODEL must be a path"),
        (["audit", "{model}", "s3://bucket/data", "--out", "{out}"], "DATA must be a path on a file system"),
        (["report", "a\0b", "--out", "x.html"], "SOURCE must be a path"),
    ],
)
def test_bad_input_exits_with_2(
    arguments: list[str], message: str, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"model": place / "model.keras", "data": place / "data", "out": tmp_path / "out"}
    places["image"] = next((place / "data").rglob("*.png"))
    assert main([each.format(**places) for each in arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_wrong_usage_exits_with_2() -> None:
    for arguments in ([], ["audit"], ["audit", "m", "d"], ["audit", "m", "d", "--out", "o", "--engine", "spark"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2


def test_every_setting_that_text_can_give_is_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in (["audit", "m", "d", "--out", "o"], ["explain", "m", "i", "--out", "o"]):
        found = parse(arguments)
        assert {"head", "second_baseline"} < set(options()) <= set(vars(found))
    given = parse([*arguments, "--head", "cls", "--second-baseline", "grey", "--targets", "top2", "3"])
    assert (given.head, given.second_baseline, given.targets) == ("cls", "grey", ["top2", 3])
    # A setting that is added is an option at once.
    more = {**options(), "new_setting": options()["seed"]}
    monkeypatch.setattr("keras_lime.core.settings.options", lambda: more)
    assert parse([*arguments, "--new-setting", "7"]).new_setting == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audti"], "'audti' is none of audit, explain, report, cure, check. Did you mean audit?"),
        (["xyz"], "'xyz' is none of audit, explain, report"),
        (["audit", "m", "d", "--out", "o", "--num-sampels", "3"], "Did you mean --num-samples?"),
        (["audit", "m", "d", "--out", "o", "--fail-above", "swapflip=1"], "Did you mean swap_flip?"),
        (["audit", "m", "d", "--out", "o", "--fail-above", "swap_flip"], "is not swap_flip=NUMBER"),
        (["audit", "m", "d", "--out", "o", "--num-samples", "many"], "argument --num-samples: invalid value"),
    ],
)
def test_what_was_meant_is_said(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_limit_has_its_own_exit_code(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["audit", str(place / "model.keras"), str(place / "data"), "--out", str(tmp_path / "out")]
    arguments += ["--no-report", "--quiet", *FAST]
    assert main([*arguments, "--fail-below", "accuracy=0", "--fail-above", "failed=0"]) == 0
    assert main([*arguments, "--fail-below", "accuracy=1.01"]) == 3
    assert "accuracy is 0." in capsys.readouterr().err
    # Without masks nothing was swapped: what is not known is no all-clear.
    assert main([*arguments, "--fail-above", "swap_flip=.25"]) == 3
    assert "swap_flip is not known" in capsys.readouterr().err
    assert set(LIMITED) <= set(Audit.open(tmp_path / "out").summary)


def test_code_in_messages_stays_code() -> None:
    spelling = vars(parse(["audit", "m", "d", "--out", "o"]))["spelling"]
    message = "`num_samples` is too small for a `Lambda` layer of `model`; call `keras_lime.audit`"
    expected = "--num-samples is too small for a `Lambda` layer of MODEL; call `keras_lime.audit`"
    assert _for_the_command_line(message, spelling) == expected


@pytest.mark.parametrize(
    ("there", "remedy"),
    [(("torch",), "pip install tensorflow, or choose --backend torch."), ((), "pip install tensorflow.")],
)
def test_where_a_backend_is_missing_the_others_are_named(
    there: tuple[str, ...],
    remedy: str,
    place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(options: object) -> int:
        raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")

    def find_spec(name: str) -> str | None:
        return name if name in there else None

    monkeypatch.setitem(_COMMANDS, "report", missing)
    monkeypatch.setattr("keras_lime.cli.importlib.util.find_spec", find_spec)
    assert main(["report", str(place), "--out", "x.html"]) == 2
    assert capsys.readouterr().err.endswith(f"{remedy}\n")


@pytest.mark.filterwarnings("ignore:.*look the same hidden as shown")
def test_explain(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = squares(2, biased=False)[0]
    files = [tmp_path / "one" / "x.png", tmp_path / "two" / "x.png", tmp_path / "broken.jpg"]
    for file, image in zip(files, images, strict=False):
        file.parent.mkdir()
        file.write_bytes(png(image))
    files[2].write_bytes(b"nothing")
    out = tmp_path / "out"
    arguments = ["explain", str(place / "model.keras"), *map(str, files), "--out", str(out), *FAST]
    assert main([*arguments, "--class-names", *CLASSES, "--targets", "predicted", "2"]) == 1
    shown, errors = capsys.readouterr()
    assert "2 of 3 images explained" in shown
    assert str(files[2]) in errors
    assert sorted(file.name for file in out.iterdir()) == ["x.npz", "x.png", "x.png.npz", "x.png.png"]
    one = Explanation.load(out / "x.npz")
    np.testing.assert_array_equal(one.image, images[0])
    assert one.predicted_name in CLASSES
    assert one.targets[-1] == 2
    assert f"{files[0]}: <Explanation" in shown
    segment, weight = one.top_segments(1)[0]
    assert f"{one.predicted_name}: strongest superpixels {segment} ({weight:+.3f})" in shown
    with Image.open(out / "x.png") as figure:
        assert min(figure.size) > 100


def test_the_backend_is_chosen_before_keras_is_imported(place: Path, tmp_path: Path) -> None:
    pytest.importorskip("jax")
    out = tmp_path / "out"
    command = [sys.executable, "-X", "importtime", "-m", "keras_lime.cli", "audit", str(place / "model.keras")]
    command += [str(place / "data"), "--out", str(out), "--backend", "jax", "--no-report", "--quiet", *FAST]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")}
    assert "jax" in imported
    assert "tensorflow" not in imported
    assert len(pq.read_table(out / "rows")) >= 12


def test_importing_it_imports_nothing_heavy() -> None:
    heavy = ("keras", "numpy", "tensorflow", "pyarrow")
    code = f"import sys, keras_lime.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = scenes(100, correlation=0.97, striped=True)
    boxes = {}
    for index, (image, label, mask) in enumerate(zip(world.images, world.labels, world.masks, strict=True)):
        name = f"{'ab'[label]}/{index}.png"
        (tmp_path / "train" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "train" / name).write_bytes(png(image))
        rows, columns = np.nonzero(mask)
        box = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
        boxes[name] = [[int(number) for number in box]]
    (tmp_path / "boxes.json").write_text(json.dumps({"version": 1, "boxes": boxes}))
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255)])
    model.add(keras.layers.Conv2D(8, 5, activation="relu"))
    model.add(keras.layers.GlobalMaxPooling2D())
    model.add(keras.layers.Dense(2, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.save(tmp_path / "m.keras")
    command = ["cure", str(tmp_path / "m.keras"), str(tmp_path / "train"), "--boxes", str(tmp_path / "boxes.json")]
    command += ["--out", str(tmp_path / "out"), "--epochs", "1", "--validation", str(tmp_path / "train")]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "accuracy on the validation set" in shown
    assert "predictions that change with the background" in shown
    assert (tmp_path / "out" / "receipt.txt").read_text() in shown
    assert keras.saving.load_model(tmp_path / "out" / "cured.keras").count_params() == model.count_params()
    assert list((tmp_path / "out" / "cured" / "lime").glob("events.*"))
    # A second time it would overwrite what is there.
    assert main(command) == 2
    assert "--out must be a new folder" in capsys.readouterr().err
    (tmp_path / "boxes.json").write_text(json.dumps({"version": 1, "boxes": {"nothing.png": [[1, 1, 9, 9]]}}))
    assert main([*command[:-6], "--out", str(tmp_path / "other")]) == 2
    assert "must name images of the folder" in capsys.readouterr().err
