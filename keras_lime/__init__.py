"""LIME during Keras training, shown in TensorBoard.

What is named in `__all__` is public; every other module and name is private and may change without notice. The public
names are loaded on first use: importing this package imports nothing heavy, because TensorBoard imports it at every
start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_lime.api.audit import audit
    from keras_lime.api.check_data import check_data
    from keras_lime.api.cure import cure
    from keras_lime.api.explain import explain
    from keras_lime.api.report import write_report
    from keras_lime.api.shortcut_report import ShortcutReport, assert_no_shortcut, shortcut_report
    from keras_lime.auditing.result import Audit
    from keras_lime.core.explanation import Explanation
    from keras_lime.core.reference_images import ReferenceImages
    from keras_lime.core.settings import Settings
    from keras_lime.curing.receipt import Receipt
    from keras_lime.curing.swap_backgrounds import SwapBackgrounds
    from keras_lime.data_check.result import DataCheck
    from keras_lime.exceptions import LimeWarning
    from keras_lime.probes import ProbeSet
    from keras_lime.scoring.gradients import integrated_gradients
    from keras_lime.shortcut.decision import Verdict
    from keras_lime.training.callback import LimeCallback

__all__ = [
    "Audit",
    "DataCheck",
    "Explanation",
    "LimeCallback",
    "LimeWarning",
    "ProbeSet",
    "Receipt",
    "ReferenceImages",
    "Settings",
    "ShortcutReport",
    "SwapBackgrounds",
    "Verdict",
    "__version__",
    "assert_no_shortcut",
    "audit",
    "check_data",
    "cure",
    "explain",
    "integrated_gradients",
    "shortcut_report",
    "write_report",
]

__version__ = "0.1.0"

_HOMES = {
    "Audit": "keras_lime.auditing.result",
    "DataCheck": "keras_lime.data_check.result",
    "Explanation": "keras_lime.core.explanation",
    "LimeCallback": "keras_lime.training.callback",
    "LimeWarning": "keras_lime.exceptions",
    "ProbeSet": "keras_lime.probes",
    "Receipt": "keras_lime.curing.receipt",
    "ReferenceImages": "keras_lime.core.reference_images",
    "Settings": "keras_lime.core.settings",
    "ShortcutReport": "keras_lime.api.shortcut_report",
    "SwapBackgrounds": "keras_lime.curing.swap_backgrounds",
    "Verdict": "keras_lime.shortcut.decision",
    "assert_no_shortcut": "keras_lime.api.shortcut_report",
    "audit": "keras_lime.api.audit",
    "check_data": "keras_lime.api.check_data",
    "cure": "keras_lime.api.cure",
    "explain": "keras_lime.api.explain",
    "integrated_gradients": "keras_lime.scoring.gradients",
    "shortcut_report": "keras_lime.api.shortcut_report",
    "write_report": "keras_lime.api.report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'keras_lime' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
