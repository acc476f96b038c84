"""LIME during Keras training, shown in TensorBoard.

The public names are loaded on first use: importing this package imports nothing heavy, because TensorBoard imports it
at every start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_lime.api.audit import audit
    from keras_lime.api.explain import explain
    from keras_lime.api.shortcut_report import assert_no_shortcut, shortcut_report
    from keras_lime.auditing.result import Audit
    from keras_lime.core.explanation import Explanation
    from keras_lime.core.settings import Settings
    from keras_lime.probes import ProbeSet
    from keras_lime.scoring.gradients import integrated_gradients
    from keras_lime.training.callback import LimeCallback

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
    "LimeCallback": "keras_lime.training.callback",
    "ProbeSet": "keras_lime.probes",
    "Settings": "keras_lime.core.settings",
    "assert_no_shortcut": "keras_lime.api.shortcut_report",
    "audit": "keras_lime.api.audit",
    "explain": "keras_lime.api.explain",
    "integrated_gradients": "keras_lime.scoring.gradients",
    "shortcut_report": "keras_lime.api.shortcut_report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'keras_lime' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
