"""Settings as text: what a command line says about each, and how it reads it."""

from dataclasses import fields

import pytest

from keras_lime.core.options import count_or_auto, index_or_name, number_or_name
from keras_lime.core.settings import Settings, options


def test_every_setting_that_is_text_is_an_option() -> None:
    assert {each.name for each in fields(Settings)} - set(options()) == {"surrogate", "display_fn"}


def test_options_read_their_own_defaults() -> None:
    for name, option in options().items():
        default = getattr(Settings(), name)
        texts = default if isinstance(default, tuple) else () if default is None else (default,)
        for text in texts:
            assert option.parse(str(text)) == text


def test_help_names_choices_and_default() -> None:
    described = {name: option.describe(getattr(Settings(), name)) for name, option in options().items()}
    assert described["sampling"] == "how perturbations are drawn: bernoulli, balanced (default: balanced)"
    assert described["num_samples"] == "perturbations per image or auto, as many as each image needs (default: 1000)"
    assert described["targets"].endswith("(default: label predicted)")
    assert described["baseline"].startswith("what hidden superpixels show: mean, blur, grey, ")
    assert described["head"] == "name or number of the output, for a model with several"


@pytest.mark.parametrize(
    ("text", "read"), [("0.5", 0.5), ("-1", -1.0), ("1e-3", 0.001), ("grey", "grey"), ("1.2.3", "1.2.3")]
)
def test_numbers_or_names(text: str, read: object) -> None:
    assert number_or_name(text) == read


def test_counts_and_indices() -> None:
    assert count_or_auto("auto") == "auto"
    assert count_or_auto("12") == 12
    with pytest.raises(ValueError, match="invalid literal"):
        count_or_auto("many")
    assert index_or_name("3") == 3
    assert index_or_name("top3") == "top3"
