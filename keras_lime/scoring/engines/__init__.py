"""Engines: a Keras model and masks → raw scores, perturbing on the model's own device.

One module per Keras backend, imported only while that backend is the active one. May import Keras and `heads`.
"""

from keras_lime.scoring.engines.cache import engine_for, smaller_engine
from keras_lime.scoring.engines.engine import COLUMNS, SLOTS, Engine, fixed_batch_size, is_out_of_memory

__all__ = ["COLUMNS", "SLOTS", "Engine", "engine_for", "fixed_batch_size", "is_out_of_memory", "smaller_engine"]
