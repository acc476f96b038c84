import argparse
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from keras_lime.tensorboard.plugin.loader import LimeLoader
from keras_lime.tensorboard.plugin.routes import LimePlugin
from keras_lime.tensorboard.plugin.wire import unpack
from tests.support.serving import get, get_json, tensorboard, wait_until
from tests.support.synthetic_logs import Settings, make_probes, write_run

PREFIX = "data/plugin/keras_lime"
EPOCHS = 150
SETTINGS = Settings(n_probes=2, epochs=EPOCHS, n_segments=9, images=True, size=16)


@pytest.fixture(scope="module")
def log_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log_dir = tmp_path_factory.mktemp("logs")
    write_run(log_dir / "run1" / "lime", SETTINGS)
    return log_dir


def flags_of(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    LimeLoader().define_flags(parser)
    return parser.parse_args(arguments)


def served_steps(address: str) -> list[int]:
    status, _, body = get(address, f"{PREFIX}/series", run="run1/lime", probe=make_probes(SETTINGS)[0].id)
    steps: list[int] = unpack(body)[0]["steps"].tolist() if status == 200 else []
    return steps


@pytest.mark.parametrize("load_fast", ["true", "false"])
def test_a_real_tensorboard_keeps_every_epoch(log_dir: Path, load_fast: str) -> None:
    with tensorboard(log_dir, f"--load_fast={load_fast}", "--path_prefix=/deep/er", with_tensorflow=True) as address:
        assert address.endswith("/deep/er")
        wait_until(lambda: len(served_steps(address)) == EPOCHS)
        assert served_steps(address) == list(range(EPOCHS))

        listing = get_json(address, "data/plugins_listing")
        assert listing["keras_lime"]["enabled"]
        assert listing["keras_lime"]["tab_name"] == "LIME"
        assert listing["keras_lime"]["loading_mechanism"] == {
            "type": "IFRAME",
            "module_path": "/deep/er/data/plugin/keras_lime/index.js",
        }
        assert {"scalars", "images"} <= {name for name, entry in listing.items() if entry["enabled"]}
        assert sorted(get_json(address, "data/plugin/scalars/tags")["run1/lime"]) == [
            "object_share",
            "probability",
            "r2",
        ]
        assert len(get_json(address, "data/plugin/images/tags")["run1/lime"]) == 2

        status, headers, entry = get(address, "data/plugin_entry.html", name="keras_lime")
        assert status == 200
        assert b'<base href="plugin/keras_lime/" />' in entry
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        status, headers, _ = get(address, f"{PREFIX}/index.js")
        assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")


@pytest.mark.parametrize("flag", ["--keras_lime_max_steps=20", "--samples_per_plugin=keras_lime=20"])
def test_a_real_tensorboard_keeps_fewer_on_demand(log_dir: Path, flag: str) -> None:
    with tensorboard(log_dir, flag) as address:
        wait_until(lambda: EPOCHS - 1 in served_steps(address))
        assert len(served_steps(address)) == 20


def test_every_step_is_kept_unless_the_user_says_otherwise() -> None:
    flags = flags_of()
    flags.samples_per_plugin = {"images": 3}
    LimeLoader().fix_flags(flags)
    assert flags.samples_per_plugin == {"images": 3, "keras_lime": 0}


def test_the_users_own_choice_of_samples_wins() -> None:
    flags = flags_of("--keras_lime_max_steps", "50")
    flags.samples_per_plugin = {"keras_lime": 7}
    LimeLoader().fix_flags(flags)
    assert flags.samples_per_plugin == {"keras_lime": 7}


@pytest.mark.parametrize("flags", [{}, {"samples_per_plugin": None}, {"samples_per_plugin": "keras_lime=3"}])
def test_flags_of_another_form_are_left_alone(flags: dict[str, object]) -> None:
    namespace = argparse.Namespace(**flags)
    LimeLoader().fix_flags(namespace)
    assert vars(namespace) == flags


def test_a_negative_count_is_refused_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        flags_of("--keras_lime_max_steps=-1")
    assert "must be 0 or more. Received: -1. 0 keeps every step." in capsys.readouterr().err


def test_the_package_registers_the_loader() -> None:
    (entry,) = {e.value for e in metadata.entry_points(group="tensorboard_plugins") if e.name == "keras_lime"}
    assert entry == f"{LimeLoader.__module__}:{LimeLoader.__name__}"


def test_imports_nothing_heavy() -> None:
    code = """
import json, sys
import keras_lime.tensorboard.plugin.loader
before = set(sys.modules)
import keras_lime.tensorboard.plugin.routes
heavy = {"keras", "tensorflow", "jax", "torch", "matplotlib", "skimage", "sklearn", "scipy", "PIL"}
print(json.dumps([sorted(heavy & set(sys.modules)), "keras_lime.tensorboard.plugin.routes" in before]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], False]


def test_loads_the_plugin() -> None:
    context = argparse.Namespace(data_provider=None)
    assert isinstance(LimeLoader().load(context), LimePlugin)
