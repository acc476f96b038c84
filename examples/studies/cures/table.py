"""Outcomes → Markdown: means over the seeds with the lowest, what a cure brought, and whether receipts say so."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from cures.cells import Outcome

__all__ = ["table"]


def table(outcomes: Sequence[Outcome]) -> str:
    """The findings as Markdown."""
    found: dict[tuple[str, float, str], list[Outcome]] = defaultdict(list)
    for each in outcomes:
        found[each.cell.world, each.cell.correlation, each.cell.name].append(each)
    lines = [
        "| world | correlation | | seeds | another scene (lowest) | like training (lowest) | receipt right |",
        "|---|---|---|---|---|---|---|",
    ]
    for (world, correlation, name), members in sorted(found.items(), key=lambda item: item[0][:2]):
        values = np.array([(each.elsewhere, each.same) for each in members])
        cells = " | ".join(f"{mean:.3f} ({low:.3f})" for mean, low in zip(values.mean(0), values.min(0), strict=True))
        lines.append(f"| {world} | {correlation:g} | {name} | {len(members)} | {cells} | {_share(members)} |")
    judged = [each for each in outcomes if each.right is not None]
    lines += ["", f"Receipts that say what is true: {_share(judged)}."]
    for method in sorted({each.cell.method for each in judged}):
        own = [each for each in judged if each.cell.method == method]
        decided = [each for each in own if each.decided]
        lines.append(
            f"- `{method}`: {_share(own)}; {_share(decided)} where the test images leave no doubt about what is true."
        )
    for each in judged:
        if not each.right:
            cell = each.cell
            lines.append(
                f"- wrong: {cell.world} {cell.correlation:g}, seed {cell.seed}, {cell.name}: {each.receipt!r}, where "
                f"accuracy changed by {each.gain:+.3f} ± {each.gain_error:.3f} before another scene and by "
                f"{each.change:+.3f} ± {each.change_error:.3f} on images like the training's. {each.sentence}"
            )
    lines += ["", f"{len(outcomes)} networks, {sum(each.seconds for each in outcomes) / 60:.0f} minutes of CPU time."]
    return "\n".join(lines) + "\n"


def _share(outcomes: Sequence[Outcome]) -> str:
    known = [each.right for each in outcomes if each.right is not None]
    return f"{sum(known)} of {len(known)}" if known else "–"
