"""Explanations → figures. The only room that imports matplotlib; never pyplot. May import the core."""

from keras_lime.plotting.curves import plot_widths
from keras_lime.plotting.figures import figure_png
from keras_lime.plotting.pictures import plot, plot_samples, plot_segments
from keras_lime.plotting.probe_sheet import plot_probes

__all__ = ["figure_png", "plot", "plot_probes", "plot_samples", "plot_segments", "plot_widths"]
