"""`DataCheck`: what was found in a data set, in sentences. May import the core and the statuses of tests."""

from collections.abc import Sequence
from dataclasses import dataclass

from keras_lime.core.phrases import count_of, listing, number
from keras_lime.data_check.features import PROPERTIES
from keras_lime.shortcut.results import Status

__all__ = ["DataCheck", "Telling"]

STRONG = 0.4
"""Kappa, two standard errors taken off, from which a property tells the class rather than hints at it."""

_INTO_THE_FRAME = ("frame", "brightness", "colour")
"""Properties of the frame: objects that reach there tell a little by themselves."""


@dataclass(frozen=True)
class Telling:
    """How well one property of the images tells their class.

    Attributes:
        name: one of `keras_lime.data_check.features.PROPERTIES`.
        kappa: Cohen's kappa of classes guessed from it alone, each image by the others: 0 by chance, 1 always right.
        stderr: its standard error.
        clean: the highest kappa that clean data give: three standard errors, or that of shuffled labels.
        found: whether it tells more than chance does.
        classes: the classes that are recognised best, with the share of their images.
        examples: positions in the sample of images guessed right, by class.
    """

    name: str
    kappa: float
    stderr: float
    clean: float
    found: bool
    classes: tuple[tuple[str, float], ...] = ()
    examples: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def strong(self) -> bool:
        """Whether it tells the class by itself."""
        return self.found and self.kappa - 2 * self.stderr >= STRONG

    @property
    def sentence(self) -> str:
        """What was found."""
        about = PROPERTIES[self.name]
        how = "the class" if self.strong or not self.found else "something about the class"
        if not self.found:
            verb = {"tells": "does not tell", "tell": "do not tell"}[about.verb]
            return f"{about.subject} {verb} {how}: {self._figures}."
        best = ", ".join(f"{title} {100 * share:.0f} %" for title, share in self.classes[:3])
        return f"{about.subject} {about.verb} {how}: {self._figures}. Recognised by it alone: {best}."

    @property
    def remedy(self) -> str:
        """What to do about it; empty where nothing was found."""
        if not self.found:
            return ""
        doubt = (
            " Objects that reach the edge of the image give such a number too: look at the examples first."
            if self.name in _INTO_THE_FRAME and not self.strong
            else ""
        )
        return PROPERTIES[self.name].remedy + doubt

    @property
    def _figures(self) -> str:
        return f"kappa {number(self.kappa, self.stderr)} (clean data give {number(self.clean)} at most)"


@dataclass(frozen=True, eq=False)
class DataCheck:
    """What `check_data` found; print it.

    Attributes:
        status: `Status.ALARM` where something but the object tells the class, or copies have several labels or are
            among the probes; `Status.PASSED` where nothing does; `Status.CANNOT_SAY` where it could not be told.
        reason: why it could not be told, a sentence; empty where it could.
        properties: how well each property of the images tells their class, the most telling first.
        n_images: images that were looked at.
        n_seen: images that are there, or were read.
        class_counts: images looked at, by class.
        copies: pairs of names that show the same image, within one class.
        conflicts: pairs of names that show the same image under two labels.
        leaks: pairs of names, of the data set and of the probes, that show the same image.
        unreadable: name and error of each file that could not be read.
        gaps: what the check does not cover, in sentences.
    """

    status: Status
    reason: str
    properties: tuple[Telling, ...]
    n_images: int
    n_seen: int
    class_counts: dict[str, int]
    copies: tuple[tuple[str, str], ...] = ()
    conflicts: tuple[tuple[str, str], ...] = ()
    leaks: tuple[tuple[str, str], ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Telling, ...]:
        """The properties that tell more than chance does."""
        return tuple(each for each in self.properties if each.found)

    @property
    def highest_kappa(self) -> float:
        """Of the most telling property; 0 where nothing was found."""
        return max((each.kappa for each in self.findings), default=0.0)

    @property
    def headline(self) -> str:
        """The outcome in a sentence."""
        looked = f"{count_of(self.n_images, 'image')} of {count_of(len(self.class_counts), 'class', 'classes')}"
        if self.status is Status.CANNOT_SAY:
            return f"Cannot say ({looked}): {self.reason}"
        if self.status is Status.PASSED:
            return f"Nothing but the object was found to tell the class ({looked})."
        return f"Look at this before you train ({looked})."

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found and what to do, the gravest first."""
        told = [f"{each.sentence} {each.remedy}" for each in self.findings]
        told += _about_pairs(
            self.conflicts,
            "shows the same under two labels",
            "show the same under two labels",
            "Decide which label is right.",
        )
        told += _about_pairs(
            self.leaks,
            "of data and probes shows the same image",
            "of data and probes show the same image",
            "Take other probes: a model that knows them by heart passes every test.",
        )
        told += _about_pairs(
            self.copies,
            "of one class shows the same",
            "of one class show the same",
            "Keep one of each, above all across training and validation.",
        )
        if self.unreadable:
            names = listing([name for name, _ in self.unreadable], 3)
            told.append(f"{count_of(len(self.unreadable), 'file')} cannot be read: {names}.")
        return (*told, *self.gaps)

    def __str__(self) -> str:
        lines = [self.headline, *(f"- {sentence}" for sentence in self.sentences)]
        lines += [f"  {each.sentence}" for each in self.properties if not each.found]
        return "\n".join(lines)


def _about_pairs(pairs: Sequence[tuple[str, str]], one: str, several: str, remedy: str) -> list[str]:
    if not pairs:
        return []
    first, second = pairs[0]
    return [
        f"{count_of(len(pairs), 'pair')} {one if len(pairs) == 1 else several}, such as {first} and {second}. {remedy}"
    ]
