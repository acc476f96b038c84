"""`ProbeSet`: the images that are explained, and how they are chosen from arrays, data sets and folders."""

from keras_lime.probes.probe_set import ProbeSet

__all__ = ["ProbeSet"]
