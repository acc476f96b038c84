"""TensorBoard's two loaders and its server, the real ones, for tests that read logs back."""

import gzip
import json
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from tensorboard import context
from tensorboard.backend import application
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.data import server_ingester
from tensorboard.plugins import base_plugin
from tensorboard.util import grpc_util
from werkzeug import test
from werkzeug.serving import make_server

from keras_lime.tensorboard.plugin.reader import RunReader
from keras_lime.tensorboard.plugin.routes import LimePlugin
from keras_lime.tensorboard.plugin.wire import unpack
from keras_lime.tensorboard.records import PLUGIN_NAME, SUMMARY_TAG

LOADERS = ("fast", "slow")
PREFIX = "/data/plugin/keras_lime"

WITHOUT_TENSORFLOW = """
import sys, types
sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")
from tensorboard.main import run_main
run_main()
"""
"""Starts TensorBoard with its own switch for a build without TensorFlow, see `tensorboard.compat.tf`."""

WITHOUT_BOTO = """
import sys
sys.modules["boto3"] = None
from tensorboard.main import run_main
run_main()
"""
"""Starts TensorBoard as where `[remote]` is installed and boto3 is not: it reads buckets through fsspec."""


@contextmanager
def provider_of(loader: str, log_dir: Path, newest: Mapping[str, int]) -> Iterator[Any]:
    """Opens TensorBoard's data provider on a log directory, within this process.

    Args:
        loader: `"fast"`, the data server that `--load_fast=true` starts, or `"slow"`, the event multiplexer.
        log_dir: the log directory.
        newest: newest step of the summary by run; yields when all of them are read.
    """
    if loader == "slow":
        multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={PLUGIN_NAME: 0})
        multiplexer.AddRunsFromDirectory(str(log_dir))
        multiplexer.Reload()
        provider = data_provider.MultiplexerDataProvider(multiplexer, str(log_dir))
        wait_until(lambda: _newest(provider, newest) == dict(newest))
        yield provider
        return
    ingester = server_ingester.SubprocessServerDataIngester(
        server_ingester.get_server_binary(),
        str(log_dir),
        reload_interval=1,
        channel_creds_type=grpc_util.ChannelCredsType.LOCAL,
        samples_per_plugin={PLUGIN_NAME: 0},
    )
    ingester.start()
    try:
        wait_until(lambda: _newest(ingester.data_provider, newest) == dict(newest))
        yield ingester.data_provider
    finally:
        ingester._stdin_handle.close()  # how TensorBoard itself ends the data server


def reader_of(provider: Any) -> RunReader:
    """Returns a reader of that provider, outside of any request."""
    return RunReader(provider, context.RequestContext(), "")


def _newest(provider: Any, runs: Mapping[str, int]) -> dict[str, int]:
    tags = reader_of(provider).tags()
    return {run: tags[run][SUMMARY_TAG] for run in runs if SUMMARY_TAG in tags.get(run, {})}


@contextmanager
def tensorboard(
    log_dir: Path | str, *flags: str, with_tensorflow: bool = False, with_boto: bool = True, output: Path | None = None
) -> Iterator[str]:
    """Runs TensorBoard on a free port of loopback and yields its address, without a slash at the end.

    Args:
        log_dir: the log directory.
        *flags: further flags of TensorBoard.
        with_tensorflow: let TensorBoard import TensorFlow where it is installed, as it does by default. That takes
            five seconds of a processor; without, it runs as where TensorFlow is not installed.
        with_boto: let it import boto3; without, it imports TensorFlow.
        output: file of what it says. Defaults to one in the log directory.
    """
    start = ["-m", "tensorboard.main"] if with_tensorflow else ["-c", WITHOUT_TENSORFLOW]
    start = start if with_boto else ["-c", WITHOUT_BOTO]
    command = [sys.executable, *start, f"--logdir={log_dir}", "--host=127.0.0.1", "--port=0", *flags]
    output = output or Path(log_dir) / "tensorboard.log"
    with output.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as process:
        try:
            found: list[str] = []

            def is_up() -> bool:
                if process.poll() is not None:
                    raise RuntimeError(f"TensorBoard ended:\n{output.read_text()}")
                found[:] = re.findall(r"at (http://127\.0\.0\.1:\d+\S*) \(", output.read_text())
                return bool(found)

            wait_until(is_up, seconds=120)
            yield found[0].rstrip("/")
        finally:
            process.terminate()


def client_of(provider: Any) -> test.Client:
    """Returns a client of TensorBoard's own application with the plugin and that provider."""
    plugin = LimePlugin(base_plugin.TBContext(data_provider=provider))
    return test.Client(application.TensorBoardWSGI([plugin], data_provider=provider))


@contextmanager
def serve_here(client: test.Client) -> Iterator[str]:
    """Serves a client's application from a thread of this process and yields its address."""
    server = make_server("127.0.0.1", 0, client.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def binary(client: test.Client, route: str, **query: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Requests a binary route and returns its arrays and the rest of its header."""
    response = client.get(f"{PREFIX}/{route}", query_string=query)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/octet-stream"
    return unpack(response.data)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Waits until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"Waited {seconds} seconds in vain.")
        time.sleep(0.1)


def get(address: str, path: str, **query: str) -> tuple[int, dict[str, str], bytes]:
    """Sends GET and returns status, headers and the body, unpacked if it came gzipped."""
    url = f"{address}/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            status, headers, body = response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        status, headers, body = error.code, dict(error.headers), error.read()
    return status, headers, gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body


def get_json(address: str, path: str, **query: str) -> Any:
    """Sends GET and returns the JSON that came."""
    return json.loads(get(address, path, **query)[2])
