"""Shortcuts, found and measured: does a model read the object or what stands around it?

`protocol` says what a test is and `registry` which tests there are: `background_swap` (objects on other backgrounds)
and `hidden_regions` (corners and borders), one file each. `results` are what a test gives, `decision` judges them over
the epochs, `monitor` keeps both for one training. `background`, `swap`, `occlusion`: the pictures, and asking a model.
"""

from keras_lime.shortcut.summary import ClassSummary, Summary, summarise

__all__ = ["ClassSummary", "Summary", "summarise"]
