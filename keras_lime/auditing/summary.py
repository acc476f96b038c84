"""The findings of a finished audit: its rows → `words.parquet` and `summary.json`.

Reads the rows file by file, so that memory does not grow with the data set. May import pyarrow and the modules beside
it.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keras_lime.auditing.image_statistics import ImageStatistics
from keras_lime.auditing.sentences import sentences
from keras_lime.auditing.storage.completeness import IncompleteAuditError
from keras_lime.auditing.storage.parquet import opened_parquet
from keras_lime.auditing.storage.schema import FORMAT_VERSION
from keras_lime.auditing.storage.shards import ShardManifest, done_shards, read_json, write_json
from keras_lime.auditing.submodular_pick import Representative, pick_representatives
from keras_lime.auditing.visual_words.proof import Prover
from keras_lime.auditing.visual_words.words import FEWEST_FOR_NO, FEWEST_IMAGES, Words, find_words, write_words
from keras_lime.core.phrases import listing

__all__ = ["summarise"]

_COLUMNS = (
    "position",
    "path",
    "label",
    "label_name",
    "predicted",
    "predicted_name",
    "predicted_value",
    "target",
    "r2",
    "probability",
    "object_share",
    "object_chance",
    "swap_flip",
    "background_certainty",
    "object_certainty",
    "error",
)

_MOST_ERRORS = 20
_MOST_WRONG = 50
_MOST_FAILED = 100
_MOST_WORDS = 6
"""Words told of a class; `words.parquet` has them all."""


def summarise(
    folder: Path, manifests: Mapping[int, ShardManifest] | None = None, prove: Prover | None = None
) -> dict[str, Any]:
    """Reads an audit's rows, writes `words.parquet` and at last `summary.json`.

    Each image counts once, by its predicted class's row. What each key of the summary means says `SUMMARY_KEYS`.

    Args:
        folder: the audit's folder, all shards done.
        manifests: of all shards, which must be there. Defaults to `None`: those that are there.
        prove: tests suspicious words by pasting, where the model is at hand. Defaults to `None`: they are not tested.

    Returns:
        What was written.
    """
    overall, classes = ImageStatistics(), dict[int, ImageStatistics]()
    wrong: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    rows, errors = 0, Counter[str]()
    about = read_json(folder / "audit.json")
    names: dict[int, str] = dict(enumerate(about.get("class_names") or ()))
    for image, count in _images(folder):
        rows += count
        if image["error"] is not None:
            errors[image["error"]] += 1
            if len(failures) < _MOST_FAILED:
                failures.append({name: image[name] for name in ("position", "path", "label_name", "error")})
        elif None not in (image["label"], image["predicted"]) and image["label"] != image["predicted"]:
            wrong = _surest([*wrong, image])
        if image["label"] is not None:
            names.setdefault(image["label"], image["label_name"])
            classes.setdefault(image["label"], ImageStatistics()).add(image)
        overall.add(image)
    words = find_words(folder, prove=prove)
    write_words(folder, words)
    by_class = words.by_class
    picked = {} if words.statistics is None else pick_representatives(words.statistics)
    names = ({} if words.statistics is None else words.statistics.names) | names
    summary: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "rows": rows,
        **overall.describe(),
        **_off_object(words),
        "errors": dict(errors.most_common(_MOST_ERRORS)),
        "failures": failures,
        "wrong": [{name: each[name] for name in _WRONG} for each in wrong],
        "representatives": [_representative(each, names) for each in picked.get(None, ())],
        "classes": [
            {"label": label, "name": name, **classes.get(label, ImageStatistics()).describe()}
            | _evidence(label, by_class, picked.get(label, []), names)
            for label, name in sorted(names.items())
        ],
    }
    summary |= _judgements(summary, words, about.get("n_outputs") or 0)
    baseline = (about.get("settings") or {}).get("baseline")
    summary = {"format_version": FORMAT_VERSION, "findings": sentences(summary, baseline), **summary}
    _check_still_there(folder, manifests)
    write_json(folder / "summary.json", summary)
    return summary


def _off_object(words: Words) -> dict[str, Any]:
    found = words.off_object
    share, measured = (None, False) if found is None else found
    return {"evidence_off_object": share, "evidence_off_object_measured": measured}


def _check_still_there(folder: Path, manifests: Mapping[int, ShardManifest] | None) -> None:
    """Refuses a summary of fewer shards than there were when it was begun."""
    gone = sorted(set(manifests or ()) - set(done_shards(folder)))
    if gone:
        raise IncompleteAuditError(
            f"The audit in {str(folder)!r} lost shards while it was summed up: {listing(gone)}. Run it again with the "
            "same arguments: it does them anew."
        )


def _judgements(summary: Mapping[str, Any], words: Words, n_outputs: int) -> dict[str, Any]:
    """How many classes could be judged, and whether the model does worse than a guess; each class gets its status."""
    predicted = 0 if words.statistics is None else int(sum(count > 0 for count in words.statistics.images))
    for entry in summary["classes"]:
        entry["status"], entry["reason"] = _status(entry, predicted)
        judged = entry["status"] in ("passed", "alarm")
        entry["surroundings"] = entry["surroundings"] if judged else None
        measured = entry["swap_flip"] is not None
        entry["shortcut_score"] = entry["swap_flip"] if measured else entry["surroundings"]
        entry["shortcut_score_from"] = "swap_flip" if measured else "words"
    statuses = Counter(entry["status"] for entry in summary["classes"])
    n_judged = statuses["passed"] + statuses["alarm"]
    accuracy, chance = summary["accuracy"], 1 / max(2, n_outputs, len(summary["classes"]))
    # Two standard errors of a guess below a guess.
    spread = 2 * math.sqrt(chance * (1 - chance) / max(1, summary["labelled"]))
    return {
        "judged": n_judged,
        "suspicious": statuses["alarm"] if n_judged else None,
        "below_chance": accuracy is not None and accuracy + spread < chance,
    }


def _status(entry: Mapping[str, Any], predicted_classes: int) -> tuple[str, str | None]:
    """What visual words say of a class: the status of a test, and the reason where it says nothing."""
    count = entry["predictions"]
    if any(word["proof"] == "proved" for word in entry["words"]):
        return "alarm", None
    suspicious = next((word for word in entry["words"] if word["suspicious"]), None)
    if suspicious is not None:
        return (
            "cannot say",
            f"surroundings look suspicious and were not tested by pasting: {suspicious['proof_reason']}",
        )
    if count < FEWEST_IMAGES:
        return "not tested", f"fewer than {FEWEST_IMAGES} images are predicted as it"
    if predicted_classes < 2:
        return "not tested", "no image is predicted as another class, to compare it with"
    if count < FEWEST_FOR_NO:
        return "cannot say", f"fewer than {FEWEST_FOR_NO} images are predicted as it, too few for a no"
    return "passed", None


_WRONG = ("position", "path", "label", "label_name", "predicted", "predicted_name", "predicted_value")

_WORD = (
    "word",
    "description",
    "suspicious",
    "share",
    "area",
    "exclusivity",
    "off_object",
    "presence",
    "presence_elsewhere",
    "proof",
    "proof_reason",
    "pull",
    "pull_random",
    "pull_stderr",
    "around",
    "around_random",
    "around_stderr",
    "proof_images",
)


def _surest(wrong: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(wrong, key=lambda each: (-each["predicted_value"], each["position"]))[:_MOST_WRONG]


def _evidence(
    label: int, by_class: dict[int, list[dict[str, Any]]], picked: list[Representative], names: dict[int, str]
) -> dict[str, Any]:
    """What is known of the pictures predicted as a class."""
    rows = by_class.get(label, [])
    return {
        "predictions": rows[0]["class_images"] if rows else 0,
        "surroundings": sum(row["share"] for row in rows if row["suspicious"]) if rows else None,
        "words": [{name: row[name] for name in _WORD} for row in rows[:_MOST_WORDS]],
        "representatives": [_representative(each, names) for each in picked],
    }


def _representative(each: Representative, names: dict[int, str]) -> dict[str, Any]:
    return {"position": each.position, "class": each.number, "name": names[each.number], "words": list(each.words)}


def _images(folder: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """One row of each image, that of its predicted class where there is one, and how many rows it has."""
    for shard in done_shards(folder):
        with opened_parquet(folder / "rows" / f"part-{shard:06d}.parquet") as file:
            rows = file.read(columns=list(_COLUMNS)).to_pylist()
        chosen: dict[int, tuple[dict[str, Any], int]] = {}
        for row in rows:
            known, count = chosen.get(row["position"], (row, 0))
            chosen[row["position"]] = (row if row["target"] == row["predicted"] else known, count + 1)
        yield from chosen.values()
