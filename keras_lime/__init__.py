"""LIME during Keras training, shown in TensorBoard.

The public names are loaded on first use: importing this package imports nothing heavy, because TensorBoard imports it
at every start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_lime.api import explain
    from keras_lime.auditing.result import Audit
    from keras_lime.auditing.run import audit
    from keras_lime.callback import LimeCallback
    from keras_lime.core.explanation import Explanation
    from keras_lime.core.settings import Settings
    from keras_lime.gradients import integrated_gradients
    from keras_lime.probes import ProbeSet
    from keras_lime.shortcut.report import assert_no_shortcut, shortcut_report

__all__ = [
    "Audit",
    "Explanation",
    "LimeCallback",
    "ProbeSet",
    "Settings",
    "__version__",
    "assert_no_shortcut",
    "audit",
    "explain",
    "integrated_gradients",
    "shortcut_report",
]

__version__ = "0.1.0"

_HOMES = {
    "Audit": "keras_lime.auditing.result",
    "Explanation": "keras_lime.core.explanation",
    "LimeCallback": "keras_lime.callback",
    "ProbeSet": "keras_lime.probes",
    "Settings": "keras_lime.core.settings",
    "assert_no_shortcut": "keras_lime.shortcut.report",
    "audit": "keras_lime.auditing.run",
    "explain": "keras_lime.api",
    "integrated_gradients": "keras_lime.gradients",
    "shortcut_report": "keras_lime.shortcut.report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'keras_lime' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
