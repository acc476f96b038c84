"""What limits an explanation, as codes and in words: a code, a sentence and a remedy each.

The codes are bits, because a mask of them is logged with every explanation; `keras_lime.core.judgement` sets them. A
new one is a bit here, its two texts, and the line there that sets it. May import numpy and the core.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.fidelity import Fidelity

__all__ = [
    "POOR_R2",
    "SEGMENT_TEXTS",
    "TARGET_TEXTS",
    "Diagnostic",
    "DiagnosticBits",
    "SegmentDiagnostic",
    "TargetDiagnostic",
    "put_in_words",
]

POOR_R2 = 0.2
"""Below this R² a surrogate does not describe the model."""


class SegmentDiagnostic(IntFlag):
    """What is doubtful about the weight of one superpixel for one target."""

    SIGN_FLIPS = 1
    BLIND = 2
    CONTRADICTED = 4


class TargetDiagnostic(IntFlag):
    """What is doubtful about the explanation of one target."""

    POOR_FIT = 1
    FEW_SAMPLES = 2
    SATURATED = 4
    CLIPPED = 8
    BLIND = 16
    SIGN_FLIPS = 32
    BASELINES = 64
    UNSURE = 128
    STILL = 256
    SMALL = 512
    SHRUNK = 1024
    SEGMENTS = 2048


@dataclass(frozen=True)
class Diagnostic:
    """What to know before reading an explanation.

    Attributes:
        code: what is wrong.
        sentence: the same in words, with the numbers of this explanation.
        remedy: what to do about it.
        target: name of the target that it holds for; None where it holds for all of them alike.
    """

    code: TargetDiagnostic
    sentence: str
    remedy: str
    target: str | None = None

    def __str__(self) -> str:
        return f"{'' if self.target is None else f'{self.target}: '}{self.sentence} {self.remedy}"


SEGMENT_TEXTS: Mapping[SegmentDiagnostic, str] = MappingProxyType(
    {
        SegmentDiagnostic.SIGN_FLIPS: "The sign of this weight depends on the kernel width.",
        SegmentDiagnostic.BLIND: "Cannot be judged: hidden, this superpixel looks as it does shown. Choose another "
        "baseline.",
        SegmentDiagnostic.CONTRADICTED: "With the second baseline this weight has the other sign.",
    }
)
"""A sentence each, for readers of logs."""

TARGET_TEXTS: Mapping[TargetDiagnostic, tuple[str, str]] = MappingProxyType(
    {
        TargetDiagnostic.POOR_FIT: (
            f"R² is below {POOR_R2}: a linear surrogate does not describe the model near this image.",
            "Do not read the weights as its reasons.",
        ),
        TargetDiagnostic.FEW_SAMPLES: (
            "The kernel leaves few effective samples for so many superpixels.",
            "Raise `num_samples` or `kernel_width`, or lower `n_segments`.",
        ),
        TargetDiagnostic.SATURATED: (
            "The probability is saturated: it hides differences that the log-odds still show.",
            'Pass scale="logit".',
        ),
        TargetDiagnostic.CLIPPED: (
            "The model's probabilities are saturated and its logits are not available: the log-odds only show the "
            "limit of its precision.",
            'Give the model a linear last layer, and pass output="logits".',
        ),
        TargetDiagnostic.BLIND: (
            "Some superpixels look the same hidden as shown and cannot be judged.",
            "Choose another `baseline`.",
        ),
        TargetDiagnostic.SIGN_FLIPS: (
            "The sign of some weights depends on the kernel width.",
            "Do not rely on these superpixels.",
        ),
        TargetDiagnostic.BASELINES: (
            "The second baseline ranks the superpixels differently: the explanation depends on the baseline.",
            "Rely on what both agree on.",
        ),
        TargetDiagnostic.UNSURE: (
            "`max_samples` was reached before the weights were as sure as `tolerance` asks for.",
            "Raise `max_samples` or `tolerance`, or lower `n_segments`.",
        ),
        TargetDiagnostic.STILL: (
            "The scores hardly move, whatever is hidden: the weights are noise around zero.",
            "Check that the model is trained and gets the range of values that it expects. With frozen layers, batch "
            "normalization may still lag behind: look at later epochs.",
        ),
        TargetDiagnostic.SMALL: (
            "The scores hardly move, whatever is hidden: the weights are small, but determined.",
            "Look at their size before their colours.",
        ),
        TargetDiagnostic.SHRUNK: (
            "The ridge penalty shrinks the weights by more than a tenth.",
            "Raise `num_samples` or `kernel_width`, or lower `n_segments`.",
        ),
        TargetDiagnostic.SEGMENTS: (
            "The number of superpixels is far from `n_segments`.",
            'Pass segmentation="grid" or your own label map; a small image holds only a few superpixels.',
        ),
    }
)
"""A sentence and its remedy each, in the order of the bits, for readers of logs; `put_in_words` adds the numbers."""


@dataclass(frozen=True, eq=False)
class DiagnosticBits:
    """The diagnostics of one explanation as they are logged.

    Attributes:
        segments: uint8 array (n_targets, n_segments), sums of `SegmentDiagnostic`.
        targets: uint16 array (n_targets,), sums of `TargetDiagnostic`.
    """

    segments: NDArray[np.uint8]
    targets: NDArray[np.uint16]

    def where(self, code: SegmentDiagnostic) -> NDArray[np.bool_]:
        """Which weights have a code, bool array (n_targets, n_segments)."""
        return np.asarray(self.segments & np.uint8(code), dtype=bool)

    def has(self, code: TargetDiagnostic) -> NDArray[np.bool_]:
        """Which targets have a code, bool array (n_targets,)."""
        return np.asarray(self.targets & np.uint16(code), dtype=bool)


def put_in_words(
    bits: DiagnosticBits,
    names: Sequence[str],
    *,
    r2: NDArray[np.float64],
    prediction: NDArray[np.float64],
    agreement: NDArray[np.float64] | None = None,
    error: NDArray[np.float64] | None = None,
    fidelity: Fidelity | None = None,
) -> tuple[Diagnostic, ...]:
    """The diagnostics of one explanation.

    Args:
        bits: what was found.
        names: names of the targets.
        r2: the R² that was judged (n_targets,).
        prediction: the model's probabilities (n_targets,).
        agreement: rank agreement with the second baseline (n_targets,), or None.
        error: `Fit.relative_error` (n_targets,), or None.
        fidelity: where it is known.

    Returns:
        One `Diagnostic` per code that holds for all targets alike, else one per target.
    """
    n_segments = bits.segments.shape[1]
    details: dict[TargetDiagnostic, list[str]] = {
        TargetDiagnostic.POOR_FIT: [f"{value:.2f}" for value in r2],
        TargetDiagnostic.SATURATED: [f"p = {value:.4f}" for value in prediction],
        TargetDiagnostic.BLIND: [_positions(row) for row in bits.where(SegmentDiagnostic.BLIND)],
        TargetDiagnostic.SIGN_FLIPS: [_positions(row) for row in bits.where(SegmentDiagnostic.SIGN_FLIPS)],
    }
    if agreement is not None:
        details[TargetDiagnostic.BASELINES] = [f"rank agreement {value:.2f}" for value in agreement]
    if error is not None:
        details[TargetDiagnostic.UNSURE] = [f"typical error {value:.2f} of the largest weight" for value in error]
    if fidelity is not None:
        details[TargetDiagnostic.FEW_SAMPLES] = [f"{fidelity.effective_samples:.0f} for {n_segments}"] * len(names)
    diagnostics = []
    for code, (text, remedy) in TARGET_TEXTS.items():
        rows = np.flatnonzero(bits.has(code)).tolist()
        sentences = [_with_detail(text, details[code][row] if code in details else "") for row in rows]
        if len(rows) == len(names) and len(set(sentences)) == 1:
            diagnostics.append(Diagnostic(code, sentences[0], remedy))
        else:
            diagnostics += [
                Diagnostic(code, sentence, remedy, names[row]) for row, sentence in zip(rows, sentences, strict=True)
            ]
    return tuple(diagnostics)


def _with_detail(sentence: str, detail: str) -> str:
    """The sentence with the detail in brackets where its first clause ends; the page does the same."""
    end = min((sentence.find(mark) for mark in (": ", ". ") if mark in sentence), default=len(sentence) - 1)
    return f"{sentence[:end]} ({detail}){sentence[end:]}" if detail else sentence


def _positions(chosen: NDArray[np.bool_]) -> str:
    """`"3 of 50: 4, 7, 9"`, at most five by number."""
    indices = np.flatnonzero(chosen)
    shown = ", ".join(map(str, indices[:5])) + (", …" if len(indices) > 5 else "")
    return f"{len(indices)} of {len(chosen)}: {shown}"
