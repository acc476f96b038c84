"""The only code that runs a model: `make_scorer` gives masks → scores, and what a model's outputs mean is decided here.

`scorer` is the entry point, `keras_scorer` and `function_scorer` what it chooses from. `inputs`, `introspection`,
`infer_output` and `outputs` read a model, `prediction` how it predicts; `agreement` compares with `predict`. `packing`
puts the perturbations of several images in one batch; `engines` run them on the model's own device, one module per
Keras backend; `gradients` differentiate.
"""

from keras_lime.scoring.agreement import check_agreement
from keras_lime.scoring.engines import release_weights
from keras_lime.scoring.outputs import NonFiniteOutputError
from keras_lime.scoring.scorer import make_scorer

__all__ = ["NonFiniteOutputError", "check_agreement", "make_scorer", "release_weights"]
