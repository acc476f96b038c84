"""How much does each cure bring? Networks with a shortcut, cured in every way, and tested where the scene changes.

Run `python examples/studies/cures --out cures`; it takes some hours on two CPU cores. What is done is kept in the
folder, networks too, and the same command goes on from there. `--worlds signs --correlations 1.0 --seeds 0 --pools 250`
measures a part, and the table is that of all parts so far; `--quick` only shows that it runs. Works under every Keras
backend.

Rows: world, correlation of scene and class in training (0.2: none, a clean network), what was done, how many training
images had an outline, and whether it was a mask, a box or an estimate. Columns: accuracy on 1,000 new images whose
objects stand in front of another class's scene, and on 1,000 like the training's, means over the seeds with the lowest;
and how often the receipt's outcome was the one that these accuracies show. `new` trains another network from the start
with `SwapBackgrounds`, twice as many epochs, so that it sees the images as often as before and as many composites
besides; `afr` is automatic feature reweighting, which needs no outlines.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cures.cells import METHODS, OUTLINES, WORLDS, Cell, Outcome, cells
from cures.table import table
from cures.trial import Study

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, cures, keeps what was found, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("cures"), help="folder of outcomes, networks and table")
    parser.add_argument("--worlds", choices=WORLDS, nargs="+", default=WORLDS)
    parser.add_argument("--correlations", type=float, nargs="+", default=[0.2, 0.8, 0.95, 1.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--pools", type=int, nargs="+", default=[250, 100, 30])
    parser.add_argument("--outlines", choices=OUTLINES, nargs="+", default=OUTLINES)
    parser.add_argument("--methods", choices=METHODS, nargs="+", default=METHODS)
    parser.add_argument("--no-receipts", action="store_true", help="accuracies alone, in half of the time")
    parser.add_argument("--quick", action="store_true", help="few images, one network: see that it runs")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "outcomes.jsonl"
    plan = cells(
        options.worlds,
        options.correlations,
        options.seeds,
        options.methods,
        options.pools,
        options.outlines,
        2500,
    )
    if options.quick:
        plan = cells(["signs"], [1.0], [0], METHODS, [50], ["masks"], 200)
    study = Study(options.out, not options.no_receipts)
    done = _read(file)
    for number, cell in enumerate(plan, 1):
        if cell in {each.cell for each in done}:
            continue
        outcome = study.run(cell)
        done.append(outcome)
        with file.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(asdict(outcome)) + "\n")
        print(
            f"{number} of {len(plan)}: {cell.world} {cell.correlation:g} seed {cell.seed} {cell.name}: "
            f"{outcome.elsewhere:.3f} {outcome.same:.3f} {outcome.receipt} {outcome.right} {outcome.sentence}",
            flush=True,
        )
    found = table(done)
    print("\n" + found)
    (options.out / "table.md").write_text(found, encoding="utf-8")


def _read(file: Path) -> list[Outcome]:
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    return [Outcome(**{**line, "cell": Cell(**line["cell"])}) for line in lines]


if __name__ == "__main__":
    main()
