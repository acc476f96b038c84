"""Engines: a Keras model and masks → raw scores, perturbing on the model's own device.

One module per Keras backend, imported only while that backend is the active one; `backends` is the registry. May import
Keras and `introspection`.
"""

from keras_lime.scoring.engines.backends import BACKENDS, Backend, active_backend, release_weights
from keras_lime.scoring.engines.cache import engine_for, smaller_engine
from keras_lime.scoring.engines.engine import IMAGES_PER_BATCH, MASK_WIDTH, Engine, EngineSpec
from keras_lime.scoring.engines.limits import fixed_batch_size, is_out_of_memory, may_halve

__all__ = [
    "BACKENDS",
    "IMAGES_PER_BATCH",
    "MASK_WIDTH",
    "Backend",
    "Engine",
    "EngineSpec",
    "active_backend",
    "engine_for",
    "fixed_batch_size",
    "is_out_of_memory",
    "may_halve",
    "release_weights",
    "smaller_engine",
]
