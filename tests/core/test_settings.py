"""One list of settings, checked before anything runs."""

import inspect
from functools import partial
from typing import Any

import numpy as np
import pytest
from skimage.segmentation import slic
from sklearn.linear_model import Ridge

from keras_lime.core.settings import Settings, SettingsDict, make_settings


def test_both_doors_take_the_same_names() -> None:
    assert list(SettingsDict.__annotations__) == list(Settings.__dataclass_fields__)


def test_every_setting_is_documented() -> None:
    documentation = inspect.getdoc(Settings) or ""
    for name in Settings.__dataclass_fields__:
        assert f"\n    {name}: " in documentation


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("segmentation", "slick", "Did you mean 'slic'"),
        ("segmentation", None, "None"),
        ("baseline", "median", "mean, blur, grey, noise, dataset"),
        ("second_baseline", "gray", "Did you mean 'grey'"),
        ("scale", "log-odds", "probability, logit"),
        ("baseline", None, "None"),
        ("output", "softmx", "softmax"),
        ("n_segments", 1, "at least 2"),
        ("num_samples", 1.5, "integer"),
        ("num_samples", True, "integer"),
        ("batch_size", 0, "at least 1"),
        ("seed", -1, "at least 0"),
        ("kernel_width", 0, "positive"),
        ("kernel_width", float("nan"), "positive"),
        ("targets", [], "at least one"),
        ("targets", "best", "top<k>"),
        ("targets", -1, "index from 0"),
        ("targets", "top0", "at least one"),
        ("targets", 1.0, "index from 0"),
    ],
)
def test_bad_values_are_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"`{name}`.*{message}"):
        make_settings({name: value})


def test_bad_types_are_refused() -> None:
    with pytest.raises(TypeError, match="`display_fn` must be a callable"):
        Settings(display_fn=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`surrogate` must be a scikit-learn regressor"):
        Settings(surrogate="ridge")


def test_unknown_settings_raise_and_name_the_nearest() -> None:
    with pytest.raises(TypeError, match="`num_sample` is no setting.*Did you mean `num_samples`"):
        make_settings({"num_sample": 3})
    with pytest.raises(TypeError, match="Known are: segmentation"):
        make_settings({"xyz": 3})


def test_targets_of_one_image() -> None:
    assert Settings().wanted(3) == (3, "predicted")
    assert Settings().wanted(None) == ("predicted",)
    assert Settings(targets="label").wanted(None) == ("predicted",)
    assert Settings(targets=2).wanted(3) == (2,)
    assert Settings(targets=("top3", "label", 7)).wanted(1) == ("top3", 1, 7)


def test_description_is_json() -> None:
    import json

    described = Settings(
        segmentation=partial(slic, n_segments=80), baseline=np.zeros((9, 9, 3)), surrogate=Ridge(alpha=2.0)
    ).describe()
    assert json.loads(json.dumps(described)) == described
    assert described["segmentation"] == "skimage.segmentation.slic_superpixels.slic"
    assert described["baseline"] == "array(9, 9, 3)"
    assert described["surrogate"] == "Ridge(alpha=2.0)"
    assert Settings(baseline=[1, 2, 3]).describe()["baseline"] == [1, 2, 3]
    assert list(described) == list(Settings.__dataclass_fields__)
