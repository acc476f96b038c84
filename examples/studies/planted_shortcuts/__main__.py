"""Is the alarm right? Networks with planted shortcuts, and clean ones, in eight drawn worlds.

Run `python examples/studies/planted_shortcuts`; a network takes half a minute of CPU time, and all of them take some
hours. What is done is kept in `outcomes.jsonl`, and the same command goes on from there. `--most 40` ends after 40
networks, which are spread over all kinds; `--quick` trains three for two epochs, to see that it runs. Works under every
Keras backend.

Objects are told by their number of lobes, and in most images by their hue. A scene, a texture, a marker at any place,
or the way of taking the image goes with the class, with a correlation of .5 to 1; or nothing does. Networks are plain,
residual with slow batch normalisation, or ViT; a third of the clean ones have so few images that they overfit. The true
reliance is the accuracy lost where the trace is another class's.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from networks import ARCHITECTURES
from table import table
from trial import Outcome, Trial, run_trial
from worlds import WORLDS

__all__ = ["main", "trials"]

_CORRELATIONS = (0.5, 0.75, 0.9, 1.0)


def trials(seeds: Sequence[int]) -> list[Trial]:
    """All networks, mixed, so that the first of them are a fair part."""
    found = []
    for seed in seeds:
        for world in range(len(WORLDS)):
            for architecture in ARCHITECTURES:
                found.append(Trial(world, architecture, 0.0, 240, 14, seed))
                found.append(Trial(world, architecture, 0.0, 1200, 8, seed + 10))
                found.append(Trial(world, architecture, 0.0, 600, 10, seed + 20))
                found += [Trial(world, architecture, each, 800, 8, seed + 30) for each in _CORRELATIONS]
    order = np.random.default_rng(0).permutation(len(found))
    return [found[index] for index in order]


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, keeps what was found, and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of outcomes and table")
    parser.add_argument("--seeds", type=int, nargs="+", default=(1, 2), help="168 networks each")
    parser.add_argument("--most", type=int, help="networks altogether")
    parser.add_argument("--quick", action="store_true", help="three networks for two epochs: see that it runs")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "outcomes.jsonl"
    done = [Outcome(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []
    plan = trials(options.seeds)[: options.most]
    if options.quick:
        plan = [Trial(world, each, 1.0, 90, 2, 1) for world, each in zip((0, 5, 7), ARCHITECTURES, strict=True)]
    known = {each.trial for each in done}
    for number, trial in enumerate(plan, 1):
        if trial.key in known:
            continue
        outcome = run_trial(trial, WORLDS[trial.world])
        done.append(outcome)
        with file.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(asdict(outcome)) + "\n")
        print(
            f"{number} of {len(plan)}: {outcome.variant}, {trial.key}: accuracy {outcome.accuracy:.2f}, reliance "
            f"{outcome.reliance:.2f}, alarms {outcome.late}, {outcome.seconds:.0f} s",
            flush=True,
        )
    found = "# Planted shortcuts\n\n" + table(done)
    print("\n" + found)
    (options.out / "table.md").write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main()
