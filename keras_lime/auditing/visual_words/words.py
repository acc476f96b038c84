"""Global explanation of an audit: what the evidence for each class is made of, in visual words.

The idea is SP-LIME's (Ribeiro et al. 2016, section 4): many explanations together say what a model does. It leaves open
what the features of images have in common; here it is the look of superpixels (`vocabulary`).

A word's *evidence* for a class is the mean, over the pictures predicted as that class, of the sum of the weights of its
superpixels, and its *share* that evidence as a part of all words' positive evidence (`word_tally` says why weights are
summed as they are). Whether a class is read off its surroundings is then decided without masks, from three marks:

- *off the object*: where there are masks, the part of the word's positive weight outside them. Else by the boundary
  prior of saliency detection (Wei et al. 2012; boundary connectivity of Zhu et al. 2014): what is photographed is
  seldom cut by the frame, so a word whose evidence touches the picture's border as often as any surface does is
  background. The estimate is the border's part of the evidence divided by its part of the pictures, at most 1.
- *evidence*: more than two standard errors above zero.
- *of this class*: the word is seen more often in pictures predicted as the class than in others. Its `exclusivity` is
  the attributable fraction 1 − (its share of other pictures) / (its share of the class's pictures), and the difference
  must exceed two standard errors. A model cannot owe its prediction to a meadow that is before every class alike; what
  such meadows have of weight is the disturbance of hiding them.

The words with all three are *suspicious* if together they matter and say much about the class: if they carry at least
a tenth of its evidence (in thousands of pictures the smallest effect is significant), and are present (cover a tenth of
the picture) in at least 40 percentage points more of the class's pictures than of the others (Youden's index J). They
lead the class's list, by share × exclusivity × off object; the others follow by their share. Where the model is at hand
each of them is then proved by pasting (`proof`), and what does not pull the prediction is suspicious no longer.

What it cannot see: a shortcut that is inside the object's outline, a background that all classes share, and, without
masks, an object that fills the picture to its border. A word is a look, not a thing: look at the examples.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.storage.row_batches import explained, row_batches
from keras_lime.auditing.storage.schema import schema_of
from keras_lime.auditing.storage.shards import read_json, write_table
from keras_lime.auditing.visual_words.appearance import Looks, describe, stripes_name
from keras_lime.auditing.visual_words.proof import UNTESTED, Prover, WordProof
from keras_lime.auditing.visual_words.proof_images import Candidate
from keras_lime.auditing.visual_words.statistics import LOOKS, WordStatistics, measure_presence, word_statistics
from keras_lime.auditing.visual_words.vocabulary import MOST_WORDS, ROW_PART, Vocabulary, learn_vocabulary

__all__ = ["FEWEST_FOR_NO", "FEWEST_IMAGES", "WORD_COLUMNS", "Words", "find_words", "write_words"]

WORD_COLUMNS: dict[str, tuple[str, str]] = {
    "class": ("int32", "the predicted class, or a regression's target"),
    "class_name": ("string", "its name"),
    "class_images": ("int32", "number of pictures predicted as it"),
    "rank": ("int32", "place in the class's list, from 1"),
    "word": ("int32", "number of the visual word, the same in all classes"),
    "description": ("string", "what it looks like and where it is, in the class's pictures"),
    "suspicious": (
        "bool",
        "off the object, with evidence, of this class, and not refuted by pasting: see the help of `words`",
    ),
    "share": ("float64", "part of the class's positive evidence, 0..1"),
    "evidence": ("float64", "mean over the class's pictures of the sum of the word's weights"),
    "evidence_stderr": ("float64", "its standard error over pictures; null for a single picture"),
    "area": ("float64", "mean share of the class's pictures: what `share` would be if every pixel counted the same"),
    "area_elsewhere": ("float64", "mean share of the pictures of other classes; null if there are none"),
    "lift": ("float64", "share / area"),
    "exclusivity": ("float64", "1 - area_elsewhere / area, 0..1: how far the word goes with this class alone"),
    "off_object": ("float64", "part of the positive evidence off the object, 0..1"),
    "off_object_measured": ("bool", "whether by masks; else estimated by the boundary prior"),
    "presence": ("float64", "share of the class's pictures that the class's candidates for suspicion are present in"),
    "presence_elsewhere": ("float64", "the same share of the pictures of other classes"),
    "proof": (
        "string",
        "of a word that looks suspicious: `proved`, `not proved` or `not tested` by pasting its patches; else null",
    ),
    "proof_reason": ("string", "why it was not tested, or on what the proof rests; or null"),
    "pull": ("float64", "rise of the class's probability in images of other classes that get its patches; or null"),
    "pull_random": ("float64", "the same with random patches of the same size and place; or null"),
    "pull_stderr": ("float64", "standard error of the difference; or null"),
    "around": ("float64", "the same rise by all that is around the class's objects; or null"),
    "around_random": ("float64", "and by what is around others of the class that gets it; or null"),
    "around_stderr": ("float64", "standard error of the difference; or null"),
    "proof_images": ("int32", "number of images from which the word's patches were cut; or null"),
    "proof_picture": (
        "binary",
        "image file: an image with a patch of the word, beside it with the random one; or null",
    ),
    "superpixels": ("int64", "number of the word's superpixels in the class's pictures"),
    "images": ("int32", "number of the class's pictures with one of them"),
    "lightness": ("float64", "mean CIELAB L*"),
    "a": ("float64", "mean CIELAB a*"),
    "b": ("float64", "mean CIELAB b*"),
    "example_positions": ("list<int64>", "pictures with the strongest superpixels of the word, strongest first"),
    "example_image_ids": ("list<string>", "their image ids"),
    "example_segments": ("list<int32>", "the superpixel in each of them"),
}
"""Columns of `words.parquet`, a row per class and visual word that occurs in it: type and meaning."""

OFF_OBJECT_FROM = 0.5
EXCLUSIVE_FROM = 0.5
STDERRS = 2.0
LEAST_SHARE = 0.1
PRESENCE_GAP = 0.4
FEWEST_IMAGES = 5
"""A class of fewer images is not judged."""
FEWEST_FOR_NO = 20
"""Of fewer images a finding can be sure, but nothing found says nothing: errors are as large as effects."""


@dataclass(frozen=True, eq=False)
class Words:
    """What `find_words` found.

    Attributes:
        rows: the rows of `words.parquet` as dictionaries, class by class, by rank.
        vocabulary: the words.
        statistics: the sums behind the rows.
    """

    rows: list[dict[str, Any]]
    vocabulary: Vocabulary | None
    statistics: WordStatistics | None

    @property
    def off_object(self) -> tuple[float, bool] | None:
        """Share of all positive evidence off the objects, whatever the class, and whether it was measured by masks.

        None where there is no evidence.
        """
        if self.statistics is None:
            return None
        off, measured = _off_object(self.statistics)
        positive = self.statistics.sums["positive"]
        known = (positive > 0) & np.isfinite(off)
        if not known.any():
            return None
        return float((positive * off)[known].sum() / positive[known].sum()), bool(measured[known].all())

    @property
    def by_class(self) -> dict[int, list[dict[str, Any]]]:
        """The rows of each class, by rank."""
        found: dict[int, list[dict[str, Any]]] = {}
        for row in self.rows:
            found.setdefault(row["class"], []).append(row)
        return found


def find_words(folder: Path, n_words: int | None = None, seed: int = 0, prove: Prover | None = None) -> Words:
    """Learns the visual words of an audit and ranks them for every class.

    Reads the rows four times in bounded batches, once more for a proof; the result is the same whatever the shards.

    Args:
        folder: the audit's folder, with its rows.
        n_words: number of words. Defaults to `None`: four per class, at least 24 and at most 64.
        seed: of clustering and its sample. Defaults to `0`.
        prove: tests what looks suspicious, where the model is at hand. Defaults to `None`: nothing is tested.

    Returns:
        `Words`; no rows if no image could be explained.
    """
    n_classes, regression = _classes(folder)
    wanted = int(np.clip(4 * n_classes, 24, MOST_WORDS)) if n_words is None else n_words
    vocabulary = learn_vocabulary(folder, wanted, seed)
    if vocabulary is None:
        return Words([], None, None)
    logit = read_json(folder / "audit.json").get("scale") == "logit"
    statistics = word_statistics(folder, vocabulary, normalise=logit or regression)
    measured_words = _measurements(statistics)
    classes = np.array(list(statistics.names), np.int64)
    presence = measure_presence(folder, vocabulary, classes, measured_words["candidate"].astype(bool))
    leads = (measured_words["share"] * measured_words["candidate"]).sum(axis=1) >= LEAST_SHARE
    with np.errstate(invalid="ignore"):
        leads &= presence[:, 0] - presence[:, 1] >= PRESENCE_GAP
    proofs = _proofs(measured_words, leads, statistics, vocabulary, prove)
    rows = []
    for place, number in sorted(enumerate(statistics.names), key=lambda item: item[1]):
        own = {name: values[place] for name, values in measured_words.items()}
        about = {word: proof for (each, word), proof in proofs.items() if each == number}
        rows += _class_rows(place, number, own, presence[place], about, statistics, vocabulary)
    return Words(rows, vocabulary, statistics)


def _proofs(
    measured: dict[str, NDArray[np.float64]],
    leads: NDArray[np.bool_],
    statistics: WordStatistics,
    vocabulary: Vocabulary,
    prove: Prover | None,
) -> dict[Candidate, WordProof]:
    """What is known of each word that looks suspicious; those with most evidence are tested first."""
    weight = measured["share"] * measured["exclusivity"] * measured["off"]
    candidates = []
    for place, number in enumerate(statistics.names):
        words = np.flatnonzero(measured["candidate"][place] * leads[place])
        candidates += [(number, word) for word in words[np.argsort(-weight[place, words], kind="stable")].tolist()]
    if prove is None or not candidates:
        return dict.fromkeys(candidates, UNTESTED)
    return dict(prove(candidates, vocabulary))


def write_words(folder: Path, words: Words) -> Path:
    """Writes `words.parquet` beside the rows.

    Returns:
        The path of the file.
    """
    file = folder / "words.parquet"
    columns = {name: [row[name] for row in words.rows] for name in WORD_COLUMNS}
    write_table(file, columns, schema_of(WORD_COLUMNS))
    return file


def _classes(folder: Path) -> tuple[int, bool]:
    """Number of classes that are predicted, and whether this is a regression."""
    found: set[float] = set()
    regression = False
    for batch in row_batches(folder, ROW_PART):
        chosen = explained(batch)
        found |= set(batch.columns["target"][chosen].tolist())
        regression = regression or bool(np.isnan(batch.columns["predicted"][chosen]).any())
    return len(found), regression


def _measurements(statistics: WordStatistics) -> dict[str, NDArray[np.float64]]:
    """The numbers of the table, arrays (C, k)."""
    sums, n = statistics.sums, statistics.images[:, None]
    others = n.sum() - n
    with np.errstate(divide="ignore", invalid="ignore"):
        evidence, area = sums["evidence"] / n, sums["area"] / n
        stderr = np.sqrt(np.maximum(sums["evidence_squares"] / n - evidence**2, 0) / (n - 1))
        rest, rest_squares = sums["area"].sum(axis=0) - sums["area"], sums["area_squares"].sum(axis=0)
        elsewhere = rest / others
        variance = (sums["area_squares"] / n - area**2) / n
        variance += ((rest_squares - sums["area_squares"]) / others - elsewhere**2) / others
        beyond = (area - elsewhere) / np.sqrt(np.maximum(variance, 1e-12))
        gain = np.maximum(evidence, 0)
        share = gain / gain.sum(axis=1, keepdims=True)
        off, measured = _off_object(statistics)
        exclusivity = np.maximum(1 - elsewhere / area, 0)
        candidate = (off >= OFF_OBJECT_FROM) & (exclusivity >= EXCLUSIVE_FROM) & (beyond > STDERRS)
        candidate &= (evidence > STDERRS * stderr) & (n >= FEWEST_IMAGES)
        lift = share / area
    return {
        "evidence": evidence,
        "stderr": stderr,
        "area": area,
        "elsewhere": elsewhere,
        "share": np.nan_to_num(share),
        "lift": lift,
        "exclusivity": exclusivity,
        "off": off,
        "measured": measured.astype(np.float64),
        "candidate": candidate.astype(np.float64),
    }


def _off_object(statistics: WordStatistics) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Part of the positive evidence off the object, (C, k), and where it was measured."""
    sums = statistics.sums
    with np.errstate(divide="ignore", invalid="ignore"):
        measured = sums["with_mask"] > 0.5 * sums["positive"]
        by_border = sums["at_border"] / sums["positive"] / (statistics.border[0] / statistics.border[1])
        off = np.where(measured, sums["off_object"] / sums["with_mask"], np.minimum(by_border, 1))
    return off, measured


def _class_rows(
    place: int,
    number: int,
    own: dict[str, NDArray[np.float64]],
    presence: NDArray[np.float64],
    proofs: dict[int, WordProof],
    statistics: WordStatistics,
    vocabulary: Vocabulary,
) -> list[dict[str, Any]]:
    """One class's rows by rank; `own` holds arrays (k,), `proofs` what looks suspicious."""
    suspicious = np.zeros(len(vocabulary), bool)
    # Where nothing could be tested suspicion stays; where something was, only what is proved is accused.
    tested = any(proof.status != "not tested" for proof in proofs.values())
    suspicious[[word for word, proof in proofs.items() if proof.status == ("proved" if tested else "not tested")]] = (
        True
    )
    with np.errstate(invalid="ignore"):
        weight = np.where(suspicious, own["share"] * own["exclusivity"] * own["off"], own["share"])
    seen = np.flatnonzero(statistics.sums["superpixels"][place])
    order = seen[np.lexsort((seen, -weight[seen], ~suspicious[seen]))]
    rows = []
    for rank, word in enumerate(order.tolist(), 1):
        examples = statistics.examples.get((number, word), [])
        looks = _looks(statistics, vocabulary, place, word)
        rows.append(
            {
                "class": number,
                "class_name": statistics.names[number],
                "class_images": int(statistics.images[place]),
                "rank": rank,
                "word": word,
                "description": describe(looks),
                "suspicious": bool(suspicious[word]),
                "share": float(own["share"][word]),
                "evidence": float(own["evidence"][word]),
                "evidence_stderr": _finite(own["stderr"][word]),
                "area": float(own["area"][word]),
                "area_elsewhere": _finite(own["elsewhere"][word]),
                "lift": _finite(own["lift"][word]),
                "exclusivity": _finite(own["exclusivity"][word]),
                "off_object": _finite(own["off"][word]),
                "off_object_measured": bool(own["measured"][word]),
                "presence": _finite(presence[0]),
                "presence_elsewhere": _finite(presence[1]),
                **_proof_columns(proofs.get(word)),
                "superpixels": int(statistics.sums["superpixels"][place, word]),
                "images": int(statistics.sums["present_in"][place, word]),
                "lightness": looks.lightness,
                "a": looks.a,
                "b": looks.b,
                "example_positions": [each.position for each in examples],
                "example_image_ids": [each.image_id for each in examples],
                "example_segments": [each.segment for each in examples],
            }
        )
    return rows


def _proof_columns(proof: WordProof | None) -> dict[str, Any]:
    word, around = (None, None) if proof is None else (proof.word, proof.around)
    return {
        "proof": proof and proof.status,
        "proof_reason": proof and proof.reason,
        "pull": word and word.rise,
        "pull_random": word and word.random,
        "pull_stderr": word and word.stderr,
        "around": around and around.rise,
        "around_random": around and around.random,
        "around_stderr": around and around.stderr,
        "proof_images": word and word.count,
        "proof_picture": proof and proof.picture,
    }


def _looks(statistics: WordStatistics, vocabulary: Vocabulary, place: int, word: int) -> Looks:
    sums = statistics.looks[place, word]
    mean = dict(zip(LOOKS, (sums / sums[-1]).tolist(), strict=True))
    count = max(1.0, statistics.sums["superpixels"][place, word])
    return Looks(
        mean["lightness"],
        mean["a"],
        mean["b"],
        texture=_side(mean["texture"], vocabulary.texture_range),
        size=_side(sums[-1] / count, vocabulary.size_range),
        y=mean["y"],
        x=mean["x"],
        y_spread=float(np.sqrt(max(mean["y_squares"] - mean["y"] ** 2, 0))),
        x_spread=float(np.sqrt(max(mean["x_squares"] - mean["x"] ** 2, 0))),
        border=mean["border"],
        stripes=stripes_name(mean["upright"], mean["slanted"]),
        usual_border=float(statistics.border[0] / statistics.border[1]),
    )


def _side(value: float, between: tuple[float, float]) -> int:
    return -1 if value < between[0] else int(value > between[1])


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
