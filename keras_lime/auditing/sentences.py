"""Numbers of an audit → plain sentences, for people who decide. May import the core's `phrases`."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from keras_lime.core.phrases import count_of, listing, percent, points

__all__ = ["sentences"]

_MOST_CLASSES = 5
_POOR_SHARE = 0.05
_FLIPS_A_LOT = 0.25


def sentences(summary: Mapping[str, Any], baseline: Any = None) -> list[str]:
    """What an audit found, the most important first after what was looked at.

    Args:
        summary: the rest of `summary.json`.
        baseline: the explainer's setting. Defaults to `None`, unknown.

    Returns:
        Sentences of plain text.
    """
    lines = [_looked_at(summary) + _verdict(summary)]
    lines += _below_chance(summary)
    if summary["swap_flip"] is not None:
        lines += _swaps(summary)
    lines += _words(summary, baseline)
    if summary["object_share"] is not None:
        lines.append(
            f"Of the evidence for what is predicted, {percent(summary['object_share'])} lies on the object, which "
            f"covers {percent(summary['object_chance'])} of the image."
        )
    elif summary["evidence_off_object"] is not None:
        lines.append(
            f"About {percent(summary['evidence_off_object'])} of all evidence, whatever the class, is off the objects, "
            "by an estimate that takes what touches the border of an image for background. Where class and scene go "
            "together in these images, evidence alone does not tell which of them is read; pasting does."
        )
    if summary["wrong"]:
        lines.append(_mistake(summary))
    if summary["explained"] and summary["poor_fits"] > _POOR_SHARE * summary["explained"]:
        lines.append(
            f"For {percent(summary['poor_fits'] / summary['explained'])} of the images the explanations do not "
            "describe the model well (R² below 0.2); do not read their weights as reasons."
        )
    if summary["failed"]:
        most = next(iter(summary["errors"]), "")
        lines.append(f"{count_of(summary['failed'], 'image')} could not be explained. Most often: {most}.")
    return lines


def _looked_at(summary: Mapping[str, Any]) -> str:
    verb = "was" if summary["images"] == 1 else "were"
    text = f"{count_of(summary['images'], 'image')} of the data set {verb} audited"
    if summary["accuracy"] is None:
        return f"{text}."
    return f"{text}. The model is right for {percent(summary['accuracy'])} of those with a known class."


def _below_chance(summary: Mapping[str, Any]) -> list[str]:
    """A question where the model does worse than a guess: classes are then often in another order than its outputs."""
    if not summary["below_chance"]:
        return []
    return [
        "That is worse than guessing. Are the classes in "
        "the order of the model's outputs, and do the images have the range of values that it was trained on? Check "
        "`class_names` and `value_range` before you read on."
    ]


def _verdict(summary: Mapping[str, Any]) -> str:
    suspicious = summary["suspicious"] or 0
    if not suspicious:
        return ""
    if summary["judged"] == suspicious == len(summary["classes"]):
        return " Every class seems to be recognised by its surroundings, not by the object alone."
    some = f"{suspicious:,} of {summary['judged']:,} classes that could be judged"
    verb = "seems" if suspicious == 1 else "seem"
    return f" {some} {verb} to be recognised by the surroundings, not by the object alone."


def _swaps(summary: Mapping[str, Any]) -> list[str]:
    lines = [
        f"When an object is put before the background of another class, the prediction changes in "
        f"{percent(summary['swap_flip'], summary['swap_flip_stderr'])} of the cases."
    ]
    worst = [each for each in summary["classes"] if each["swap_flip"] is not None]
    worst.sort(key=lambda each: (-each["swap_flip"], each["label"]))
    if len(worst) > 1 and worst[0]["swap_flip"] > 0:
        named = ", ".join(f"{each['name']} ({percent(each['swap_flip'])})" for each in worst[:3])
        lines.append(f"It changes most often for: {named}.")
    return lines


def _words(summary: Mapping[str, Any], baseline: Any) -> list[str]:
    """What visual words say of the classes, and which classes they say nothing of."""
    if summary["explained"] == 0 or summary["judged"] is None:
        return []
    suspicious = [each for each in summary["classes"] if each["status"] == "alarm"]
    suspicious.sort(key=lambda each: (-each["surroundings"], each["label"]))
    lines = [_suspicion(each) for each in suspicious[:_MOST_CLASSES]]
    rest = len(suspicious) - _MOST_CLASSES
    if rest > 0:
        lines.append(f"The same holds for {count_of(rest, 'more class', 'more classes')}.")
    lines += _not_proved(summary)
    passed = sum(each["status"] == "passed" for each in summary["classes"])
    if passed and not suspicious:
        lines.append(_nothing_found(summary, passed))
        if baseline == "mean":
            lines.append(
                "But hidden superpixels showed their own mean colours, by which a scene can still be recognised: such "
                'reliance may be hidden. Audit with baseline="others", the default, to find it.'
            )
    return lines + _not_judged(summary)


def _nothing_found(summary: Mapping[str, Any], passed: int) -> str:
    judged = "None of the" if passed == len(summary["classes"]) else "Among those that could be judged, none of the"
    text = (
        f"{judged} {count_of(passed, 'class', 'classes')} was found to be recognised by its surroundings, as far as "
        "visual words can tell"
    )
    if summary["swap_flip"] is not None and summary["swap_flip"] > _FLIPS_A_LOT:
        return f"{text}; but the predictions that change with the background say otherwise, and count for more."
    return f"{text}: what speaks for each of them is on the object, or stands around the objects of all classes alike."


def _not_judged(summary: Mapping[str, Any]) -> list[str]:
    """Classes of which nothing is known, by the reason."""
    lines = []
    for status in ("not tested", "cannot say"):
        reasons = Counter(each["reason"] for each in summary["classes"] if each["status"] == status)
        for reason, count in reasons.most_common(3):
            verb = "was" if count == 1 else "were"
            lines.append(f"{count_of(count, 'class', 'classes')} {verb} not judged by visual words: {reason}.")
    return lines


def _suspicion(entry: Mapping[str, Any]) -> str:
    marked = [word for word in entry["words"] if word["suspicious"]]
    first = marked[0]
    looks = "; ".join(dict.fromkeys(word["description"] for word in marked[:3]))
    share, here = percent(entry["surroundings"]), percent(first["presence"])
    return (
        f"“{entry['name']}”: {share} of what speaks for it lies around the object and goes with this class ({looks}). "
        f"Such surroundings are in {here} of the images taken for it and in "
        f"{percent(first['presence_elsewhere'])} of the others. {_pasting(first)}"
    )


def _pasting(word: Mapping[str, Any]) -> str:
    """What the surroundings of a class do in images of others, and what the word's patches do."""
    told = (
        "Proved by pasting: around the objects of other classes, such surroundings change the probability of this "
        f"class by {points(word['around'])}, their own by {points(word['around_random'])}"
    )
    if word["proof_reason"] is not None:
        return f"{told}; no word of it does so alone."
    return (
        f"{told}; the patches of “{word['description']}” alone by {points(word['pull'])}, random ones of the same size "
        f"and place by {points(word['pull_random'])}."
    )


def _not_proved(summary: Mapping[str, Any]) -> list[str]:
    """Classes whose surroundings look suspicious, but do not pull the prediction."""
    found = []
    for entry in summary["classes"]:
        refuted = [word for word in entry["words"] if word["proof"] == "not proved"]
        if refuted and entry["status"] != "alarm":
            found.append((entry["name"], refuted[0]))
    if not found:
        return []
    name, word = max(found, key=lambda each: float(each[1]["around"] - each[1]["around_random"]))
    names = listing([f"“{name}”" for name, _ in found], _MOST_CLASSES)
    return [
        f"Not proved, and so no accusation: there is evidence around the objects of {names}, but pasted into images of "
        "other classes such surroundings do not pull them towards the class. They change its probability by "
        f"{points(word['around'])} at most (“{name}”), and its most suspicious patches by {points(word['pull'])}; "
        f"random patches of the same size and place change it by {points(word['pull_random'])}."
    ]


def _mistake(summary: Mapping[str, Any]) -> str:
    first = summary["wrong"][0]
    count = summary["labelled"] - round(summary["accuracy"] * summary["labelled"])
    return (
        f"{count_of(count, 'image')} {'is' if count == 1 else 'are'} taken for another class. The surest mistake: "
        f"“{first['label_name']}” taken for “{first['predicted_name']}” with {percent(first['predicted_value'])}."
    )
