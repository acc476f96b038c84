"""Shortcuts, found and measured: does a model read the object or what stands around it?

`protocol` says what a test is and `registry` which tests there are, one file each: `background_swap` (objects on other
backgrounds), `marker_search` (small things off the object) and `hidden_regions` (corners and borders). `probe_data`
gathers what they get, with `outlines` where there are no masks. `results` are what a test gives, `decision` judges them
over the epochs, `monitor` keeps both for one training. `background`, `swap`, `markers`, `occlusion`: the images, and
asking a model; `reliance`: what the swap's answers follow.
"""

from keras_lime.shortcut.summary import ClassSummary, Summary, summarise

__all__ = ["ClassSummary", "Summary", "summarise"]
