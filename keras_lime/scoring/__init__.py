"""The only code that runs a model: `make_scorer` gives masks → scores, and what a model's outputs mean is decided here.

`scorer` is the door; `inputs`, `heads`, `outputs` and `targets` read a model; `batches` packs the perturbations of
several images together; `engines` run them on the model's own device, one module per Keras backend.
"""

from keras_lime.scoring.scorer import FunctionScorer, KerasScorer, NonFiniteOutputError, make_scorer

__all__ = ["FunctionScorer", "KerasScorer", "NonFiniteOutputError", "make_scorer"]
