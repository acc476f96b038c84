"""Numbers of an audit → plain sentences, for people who decide. May import the standard library."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["findings", "percent"]

_MOST_CLASSES = 5
_POOR_SHARE = 0.05


def findings(summary: Mapping[str, Any], baseline: Any = None) -> list[str]:
    """The findings of an audit, the most important first after what was looked at.

    Args:
        summary: the rest of `summary.json`.
        baseline: the explainer's setting. Defaults to `None`, unknown.

    Returns:
        Sentences of plain text.
    """
    lines = [_looked_at(summary) + _verdict(summary)]
    if summary["swap_flip"] is not None:
        lines += _swaps(summary)
    lines += _words(summary, baseline)
    if summary["object_share"] is not None:
        lines.append(
            f"Of the evidence for what is predicted, {percent(summary['object_share'])} lies on the object, which "
            f"covers {percent(summary['object_chance'])} of the picture."
        )
    if summary["wrong"]:
        lines.append(_mistake(summary))
    if summary["explained"] and summary["poor_fits"] > _POOR_SHARE * summary["explained"]:
        lines.append(
            f"For {percent(summary['poor_fits'] / summary['explained'])} of the pictures the explanations do not "
            "describe the model well (R² below 0.2); do not read their weights as reasons."
        )
    if summary["failed"]:
        most = next(iter(summary["errors"]), "")
        lines.append(f"{_count(summary['failed'], 'picture')} could not be explained. Most often: {most}.")
    return lines


def percent(share: float) -> str:
    """`"38 %"`, never 0 or 100 for what is not."""
    if 0 < share < 0.01 or 0.99 < share < 1:
        return "less than 1 %" if share < 0.5 else "more than 99 %"
    return f"{share:.0%}".replace("%", " %")


def _looked_at(summary: Mapping[str, Any]) -> str:
    text = (
        f"{_count(summary['images'], 'picture')} of the data set {'was' if summary['images'] == 1 else 'were'} audited"
    )
    if summary["accuracy"] is None:
        return f"{text}."
    return f"{text}. The model is right for {percent(summary['accuracy'])} of those with a known class."


def _verdict(summary: Mapping[str, Any]) -> str:
    judged = [each for each in summary["classes"] if each["words"]]
    suspicious = sum(any(word["suspicious"] for word in each["words"]) for each in judged)
    if not suspicious:
        return ""
    if len(judged) == suspicious:
        return " Every class seems to be recognised by its surroundings, not by the object alone."
    some = f"{suspicious:,} of {len(judged):,} classes {'seems' if suspicious == 1 else 'seem'}"
    return f" {some} to be recognised by the surroundings, not by the object alone."


def _swaps(summary: Mapping[str, Any]) -> list[str]:
    error = summary["swap_flip_stderr"]
    spread = "" if error is None else f" (± {max(error, 0.0005):.1%})".replace("%", " %")
    lines = [
        f"When an object is put before the background of another class, the prediction changes in "
        f"{percent(summary['swap_flip'])} of the cases{spread}."
    ]
    worst = [each for each in summary["classes"] if each["swap_flip"] is not None]
    worst.sort(key=lambda each: (-each["swap_flip"], each["label"]))
    if len(worst) > 1 and worst[0]["swap_flip"] > 0:
        named = ", ".join(f"{each['name']} ({percent(each['swap_flip'])})" for each in worst[:3])
        lines.append(f"It changes most often for: {named}.")
    return lines


def _words(summary: Mapping[str, Any], baseline: Any) -> list[str]:
    judged = [each for each in summary["classes"] if each["words"]]
    if not judged:
        return []
    suspicious = [each for each in judged if any(word["suspicious"] for word in each["words"])]
    if not suspicious:
        lines = [
            "No class was found to be recognised by its surroundings, as far as visual words can tell: what speaks for "
            "each class is on the object, or stands around the objects of all classes alike."
        ]
        if baseline == "mean":
            lines.append(
                "But hidden patches showed their own mean colours, by which a scene can still be recognised: such "
                'reliance may be hidden. An audit with baseline="others", the default, would tell.'
            )
        return lines
    suspicious.sort(key=lambda each: (-each["surroundings"], each["label"]))
    lines = [_suspicion(each) for each in suspicious[:_MOST_CLASSES]]
    rest = len(suspicious) - _MOST_CLASSES
    if rest > 0:
        lines.append(f"The same holds for {_count(rest, 'more class', 'more classes')}.")
    return lines


def _suspicion(entry: Mapping[str, Any]) -> str:
    marked = [word for word in entry["words"] if word["suspicious"]]
    first = marked[0]
    looks = "; ".join(dict.fromkeys(word["description"] for word in marked[:3]))
    share, here = percent(entry["surroundings"]), percent(first["presence"])
    return (
        f"“{entry['name']}”: {share} of what speaks for it lies around the object and goes with this class ({looks}). "
        f"Such surroundings are in {here} of the pictures taken for it and in "
        f"{percent(first['presence_elsewhere'])} of the others."
    )


def _mistake(summary: Mapping[str, Any]) -> str:
    first = summary["wrong"][0]
    count = summary["labelled"] - round(summary["accuracy"] * summary["labelled"])
    return (
        f"{_count(count, 'picture')} {'is' if count == 1 else 'are'} taken for another class. The surest mistake: "
        f"“{first['label_name']}” taken for “{first['predicted_name']}” with {percent(first['predicted_value'])}."
    )


def _count(number: int, thing: str, things: Sequence[str] | str | None = None) -> str:
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"
