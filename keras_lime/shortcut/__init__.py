"""Shortcuts, found and measured: does a model read the object or what stands around it?

`background` and `swap` (the object on other backgrounds), `occlusion` (corners, borders,
frame), `alarm` (the decision) and `watch` (one training's measurements) get numbers and give numbers; `report` runs a
model.
"""

from keras_lime.shortcut.summary import ClassSummary, Summary, summarise

__all__ = ["ClassSummary", "Summary", "summarise"]
