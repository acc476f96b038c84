"""LimePlugin: the HTTP routes behind the LIME tab.

`../http_api.md` lists them with what they answer. A wrong request gets status 400 or 404 and JSON `{"error": …}`.

May import tensorboard, werkzeug and the modules beside it. Never Keras, TensorFlow, JAX or PyTorch.
"""

import logging
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from tensorboard import errors, plugin_util
from tensorboard.backend import http_util
from tensorboard.plugins import base_plugin
from werkzeug import wrappers

from keras_lime.tensorboard.plugin.reader import RunReader, newer_notices
from keras_lime.tensorboard.plugin.stacking import Arrays, shortcut_findings, stack_results, stack_summaries
from keras_lime.tensorboard.plugin.static_files import page_file
from keras_lime.tensorboard.plugin.wire import pack
from keras_lime.tensorboard.records import (
    NEIGHBOURS_TAG,
    PLUGIN_NAME,
    SUMMARY_TAG,
    SWAPS_TAG,
    Record,
    probe_tag,
    result_tag,
)

__all__ = ["LimePlugin"]

_logger = logging.getLogger(__name__)

Request = wrappers.Request
Response = wrappers.Response


class _RequestError(Exception):
    """A request that cannot be served, with the sentence to tell the page and the HTTP status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class LimePlugin(base_plugin.TBPlugin):
    """Serves explanations to TensorBoard's LIME tab.

    Args:
        context: TensorBoard's own, with the data provider.
    """

    plugin_name = PLUGIN_NAME

    def __init__(self, context: base_plugin.TBContext) -> None:
        self._provider = context.data_provider

    def is_active(self) -> bool:
        """Returns `False`: TensorBoard lights the tab up by itself where it finds data of this plugin."""
        return False

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """Names the tab and the module that draws it."""
        return base_plugin.FrontendMetadata(es_module_path="/index.js", tab_name="LIME")

    def get_plugin_apps(self) -> dict[str, Callable[..., Any]]:
        """Returns the routes."""
        return {
            "/manifest": self._route(self._manifest),
            "/summary": self._route(self._summary),
            "/series": self._route(self._series),
            "/segments": self._route(self._segments),
            "/picture": self._route(self._picture),
            "/swaps": self._route(lambda request: self._pairs(request, SWAPS_TAG)),
            "/neighbours": self._route(lambda request: self._pairs(request, NEIGHBOURS_TAG)),
            "/index.js": self._route(self._page),
            "/*": self._route(self._page),
        }

    def _route(self, handler: Callable[[Request], Response]) -> Callable[..., Any]:
        """Wraps a handler as a WSGI application that answers every failure with JSON."""

        def answer(request: Request) -> Response:
            try:
                if request.method not in ("GET", "HEAD"):
                    raise _RequestError(f"This route answers GET. Received: {request.method}.", 405)
                return handler(request)
            except _RequestError as error:
                return _failure(request, str(error), error.status)
            except errors.PublicError as error:
                return _failure(request, str(error), error.http_code)
            except Exception:
                # The page can show a sentence; the trace belongs in TensorBoard's log.
                _logger.exception("keras_lime could not answer %s", request.path)
                sentence = "keras_lime failed to read this from the log; TensorBoard's console says more."
                return _failure(request, sentence, 500)

        return wrappers.Request.application(answer)

    def _reader(self, request: Request) -> RunReader:
        if self._provider is None:
            raise _RequestError("This TensorBoard has no data provider, which keras_lime reads from.", 404)
        context = plugin_util.context(request.environ)
        return RunReader(self._provider, context, plugin_util.experiment_id(request.environ))

    def _manifest(self, request: Request) -> Response:
        reader = self._reader(request)
        runs = []
        tags_by_run = reader.tags()
        for run, (manifest, notices) in sorted(reader.manifests(tags_by_run).items()):
            tags = tags_by_run[run]
            if manifest is None:
                notices.append("This run has no readable manifest, so its probes cannot be listed.")
            else:
                notices += newer_notices(manifest.header.get("keras_lime"))
                absent = sum(result_tag(probe) not in tags for probe in manifest.probe_ids)
                if absent:
                    notices.append(f"{absent} of {len(manifest.probe_ids)} probes have no explanation yet.")
            steps = [step for tag, step in tags.items() if tag == SUMMARY_TAG or tag.startswith(result_tag(""))]
            runs.append(
                {
                    "run": run,
                    "manifest": None if manifest is None else manifest.header,
                    "notices": notices,
                    "steps_hint": max(steps) + 1 if steps else None,
                    "newest_step": max(steps, default=None),
                }
            )
        return _respond(request, {"runs": runs, "notices": []}, "application/json")

    def _summary(self, request: Request) -> Response:
        run = _argument(request, "run")
        records, notices = self._reader(request).series(run, SUMMARY_TAG)
        if not records and not notices:
            raise _RequestError(f"There is no summary of a run named {run!r}.", 404)
        findings = {"shortcut": shortcut_findings(records)}
        return _binary(request, stack_summaries(records), notices, zlib.Z_DEFAULT_STRATEGY, findings)

    def _series(self, request: Request) -> Response:
        run, probe = _argument(request, "run"), _argument(request, "probe")
        reader = self._reader(request)
        read = reader.newest if _flag(request, "newest") else reader.series
        records, notices = read(run, result_tag(probe))
        if not records and not notices:
            raise _RequestError(f"There is no explanation of a probe {probe!r} in a run named {run!r}.", 404)
        arrays, more = stack_results(records)
        return _binary(request, arrays, notices + more)

    def _segments(self, request: Request) -> Response:
        record, notices = self._probe(request, ("segments", "object_mask", "estimated_mask", "object_fraction"))
        labels = record.array("segments")
        if labels is None or labels.ndim != 2:
            raise _RequestError("The record of this probe holds no superpixels.", 404)
        arrays = {
            "labels": labels.astype(np.uint16 if labels.max(initial=0) < 1 << 16 else np.int32),
            "object_mask": _as(record.array("object_mask"), np.uint8),
            "estimated_mask": _as(record.array("estimated_mask"), np.uint8),
            "object_fraction": _as(record.array("object_fraction"), np.float32),
        }
        return _binary(request, arrays, notices, zlib.Z_DEFAULT_STRATEGY)

    def _picture(self, request: Request) -> Response:
        record, _ = self._probe(request, ("picture",))
        picture = record.array("picture")
        if picture is None:
            raise _RequestError("The record of this probe holds no picture.", 404)
        return _respond(request, picture.tobytes(), "image/png")

    def _pairs(self, request: Request, tag: str) -> Response:
        """Pictures that are logged at few epochs: those of the newest one, at most the asked one."""
        run, step = _argument(request, "run"), _step(request)
        reader = self._reader(request)
        records, notices = reader.series(run, tag)
        if not records and not notices and run not in reader.tags():
            raise _RequestError(f"There is no run named {run!r}.", 404)
        fitting = [entry for entry in records if step is None or entry.step <= step]
        found = fitting[-1] if fitting else None
        pairs = None if found is None else found.record.header.get("pairs")
        header = {
            "step": None if found is None else found.step,
            "pairs": pairs if isinstance(pairs, list) else [],
            "steps": [entry.step for entry in records],
        }
        arrays = {} if found is None else {name: _as(array, np.uint8) for name, array in found.record.arrays.items()}
        return _binary(request, arrays, notices, more=header)

    def _probe(self, request: Request, only: tuple[str, ...]) -> tuple[Record, list[str]]:
        run, probe = _argument(request, "run"), _argument(request, "probe")
        records, notices = self._reader(request).newest(run, probe_tag(probe), only)
        if not records:
            raise _RequestError(
                " ".join(notices) or f"There is no record of a probe {probe!r} in a run named {run!r}.", 404
            )
        return records[-1].record, notices

    def _page(self, request: Request) -> Response:
        name = request.path.rpartition(f"/plugin/{PLUGIN_NAME}/")[2]
        file = page_file(name)
        if file is None:
            raise _RequestError(f"There is no file {name!r}.", 404)
        content, media_type = file
        return _respond(request, content, media_type)


def _argument(request: Request, name: str) -> str:
    """Returns a parameter of the query that must be there once and not be empty."""
    values = request.args.getlist(name)
    if len(values) != 1 or not values[0]:
        raise _RequestError(f"`{name}` must be given once in the address. Received: {request.query_string!r}.", 400)
    return str(values[0])


def _flag(request: Request, name: str) -> bool:
    value = request.args.get(name, "0")
    if value not in ("0", "1"):
        raise _RequestError(f"`{name}` must be 0 or 1. Received: {value!r}.", 400)
    return bool(value == "1")


def _step(request: Request) -> int | None:
    value = request.args.get("step")
    if value is None:
        return None
    try:
        return int(value)
    except ValueError:
        raise _RequestError(f"`step` must be a whole number. Received: {value!r}.", 400) from None


def _as(array: np.ndarray[Any, Any] | None, dtype: type[np.generic]) -> np.ndarray[Any, Any] | None:
    return None if array is None else array.astype(dtype)


def _binary(
    request: Request,
    arrays: Arrays,
    notices: list[str],
    strategy: int = zlib.Z_RLE,
    more: Mapping[str, Any] | None = None,
) -> Response:
    # Weights are noise: looking for repetitions in them costs three times the time and wins 3 %. 31: gzip's format.
    gzip = zlib.compressobj(1, zlib.DEFLATED, 31, 9, strategy)
    body = gzip.compress(pack(arrays, {**(more or {}), "notices": notices})) + gzip.flush()
    return _respond(request, body, "application/octet-stream", content_encoding="gzip")


def _failure(request: Request, sentence: str, status: int) -> Response:
    return _respond(request, {"error": sentence}, "application/json", code=status)


def _respond(request: Request, content: object, media_type: str, **options: Any) -> Response:
    # TensorBoard's own: it sets the headers that forbid caching and sniffing, and undoes gzip for those who cannot.
    response: Response = http_util.Respond(request, content, media_type, **options)
    return response
