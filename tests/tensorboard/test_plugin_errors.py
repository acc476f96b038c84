from collections.abc import Iterator
from typing import Any

import pytest
from tensorboard.plugins import base_plugin
from werkzeug import test

from keras_lime.tensorboard.plugin.routes import LimePlugin
from tests.support.damaged_logs import write_unreadable
from tests.support.serving import LOADERS, PREFIX, client_of, provider_of
from tests.support.synthetic_logs import Settings, write_run


@pytest.fixture(scope="module", params=LOADERS)
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[test.Client]:
    log_dir = tmp_path_factory.mktemp("logs")
    write_run(log_dir / "bare", Settings(n_probes=1, epochs=1, n_segments=9, size=16))
    write_unreadable(log_dir / "unreadable")
    with provider_of(request.param, log_dir, {"bare": 0, "unreadable": 0}) as provider:
        yield client_of(provider)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("series", 400, "`run` must be given once"),
        ("series?run=bare", 400, "`probe` must be given once"),
        ("series?run=&probe=p", 400, "`run` must be given once"),
        ("series?run=bare&run=bare&probe=p", 400, "`run` must be given once"),
        ("series?run=bare&probe=p&newest=yes", 400, "`newest` must be 0 or 1. Received: 'yes'."),
        ("series?run=bare&probe=nobody", 404, "no explanation of a probe 'nobody' in a run named 'bare'"),
        ("series?run=nowhere&probe=p", 404, "in a run named 'nowhere'"),
        ("summary", 400, "`run` must be given once"),
        ("summary?run=nowhere", 404, "no summary of a run named 'nowhere'"),
        ("segments?run=bare&probe=nobody", 404, "no record of a probe 'nobody'"),
        ("picture?run=bare&probe=nobody", 404, "no record of a probe 'nobody'"),
        ("picture?run=unreadable&probe=newer", 404, "schema version 2"),
        ("series?run=..%2F..%2Fetc&probe=passwd", 404, "no explanation"),
        ("no_such_file.js", 404, "There is no file 'no_such_file.js'"),
        ("static/index.js", 404, "There is no file 'static/index.js'"),
        ("plugin.py", 404, "There is no file 'plugin.py'"),
    ],
)
def test_wrong_requests_get_a_sentence(client: test.Client, path: str, status: int, words: str) -> None:
    response = client.get(f"{PREFIX}/{path}")
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert response.json is not None
    assert words in response.json["error"]
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    "path",
    [
        "/../loader.py",
        "/..%2floader.py",
        "/../../../../../../../etc/passwd",
        "/%2e%2e/plugin.py",
        "/..\\plugin.py",
        "//etc/passwd",
        "/index.js/../../plugin.py",
        "/index.js%00.py",
    ],
)
def test_no_path_leads_out_of_the_page(client: test.Client, path: str) -> None:
    response = client.get(f"{PREFIX}{path}")
    assert response.status_code == 404
    assert b"import" not in response.data
    assert b"root:" not in response.data


@pytest.mark.parametrize("route", ["manifest", "series", "index.js"])
def test_only_get_is_answered(client: test.Client, route: str) -> None:
    response = client.post(f"{PREFIX}/{route}")
    assert response.status_code == 405
    assert response.json == {"error": "This route answers GET. Received: POST."}


class BrokenProvider:
    """A data provider whose log cannot be read."""

    def list_plugins(self, *_: Any, **__: Any) -> list[str]:
        return []

    def read_tensors(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise RuntimeError("secret of the server")


def test_a_failure_behind_the_routes_stays_in_the_servers_log(caplog: pytest.LogCaptureFixture) -> None:
    response = client_of(BrokenProvider()).get(f"{PREFIX}/summary?run=a")
    assert response.status_code == 500
    assert response.json is not None
    assert "TensorBoard's console says more" in response.json["error"]
    assert "secret" not in response.text
    assert "secret of the server" in caplog.text


def test_without_a_data_provider() -> None:
    plugin = LimePlugin(base_plugin.TBContext())
    assert plugin.data_plugin_names() == ("keras_lime",)
    response = test.Client(plugin.get_plugin_apps()["/manifest"]).get("/")
    assert response.status_code == 404
