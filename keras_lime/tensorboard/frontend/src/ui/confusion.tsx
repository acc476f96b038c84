// What is taken for what: a matrix whose cells choose the probes, or a list of the commonest mistakes of many classes.
import { useSignal } from "@preact/signals";
import type { RunManifest } from "../data/types.ts";
import { className } from "../model/snapshot.ts";
import { confusionOf, labelsOf, type Tile } from "../model/tiles.ts";
import { allTiles } from "../state/shownTiles.ts";
import { show, view } from "../state/selection.ts";

/** More classes than this make a list. */
const MOST = 14;
const LISTED = 12;

export function Confusion({ manifest }: { manifest: RunManifest }) {
  const open = useSignal(false);
  if (labelsOf(manifest.probes).length < 2 || manifest.output === "regression") return null;
  return (
    <details class="confusion" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>Confusion matrix</summary>
      {/* Counted anew at every epoch, so only where it is seen. */}
      {open.value && <Counted manifest={manifest} tiles={allTiles.value} />}
    </details>
  );
}

function Counted({ manifest, tiles }: { manifest: RunManifest; tiles: readonly Tile[] }) {
  const counts = confusionOf(tiles);
  const classes = [...new Set([...counts.keys(), ...[...counts.values()].flatMap((row) => [...row.keys()])])].sort(
    (a, b) => a - b,
  );
  if (classes.length > MOST) return <Mistakes manifest={manifest} counts={counts} />;
  return <Matrix manifest={manifest} counts={counts} classes={classes} />;
}

type Counts = ReturnType<typeof confusionOf>;

function choose(label: number, predicted: number): void {
  const chosen = view.onlyClass === label && view.onlyPredicted === predicted;
  show(chosen ? { onlyClass: null, onlyPredicted: null } : { onlyClass: label, onlyPredicted: predicted });
}

function Matrix({ manifest, counts, classes }: { manifest: RunManifest; counts: Counts; classes: readonly number[] }) {
  const most = Math.max(...[...counts.values()].flatMap((row) => [...row.values()]));
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label="Confusion matrix">
      <table>
        <thead>
          <tr>
            <th scope="col">true ↓ predicted →</th>
            {classes.map((id) => (
              <th key={id} scope="col" title={className(manifest, id)}>
                {className(manifest, id)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {classes.map((label) => (
            <tr key={label}>
              <th scope="row" title={className(manifest, label)}>
                {className(manifest, label)}
              </th>
              {classes.map((predicted) => {
                const count = counts.get(label)?.get(predicted) ?? 0;
                const names = `${className(manifest, label)} predicted as ${className(manifest, predicted)}: ${count}`;
                return (
                  <td key={predicted}>
                    <button
                      class={label === predicted ? "cell right" : "cell mistaken"}
                      style={{ "--fill": `${Math.round((count / most) * 60)}%` }}
                      disabled={count === 0}
                      aria-label={names}
                      aria-pressed={view.onlyClass === label && view.onlyPredicted === predicted}
                      onClick={() => choose(label, predicted)}
                    >
                      {count === 0 ? "·" : count}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Mistakes({ manifest, counts }: { manifest: RunManifest; counts: Counts }) {
  const mistakes = [...counts]
    .flatMap(([label, row]) => [...row].map(([predicted, count]) => ({ label, predicted, count })))
    .filter(({ label, predicted }) => label !== predicted)
    .sort((a, b) => b.count - a.count)
    .slice(0, LISTED);
  return (
    <ul class="mistakes">
      {mistakes.length === 0 && <li>No probe is predicted wrong.</li>}
      {mistakes.map(({ label, predicted, count }) => (
        <li key={`${label} ${predicted}`}>
          <button
            class="link"
            aria-pressed={view.onlyClass === label && view.onlyPredicted === predicted}
            onClick={() => choose(label, predicted)}
          >
            {className(manifest, label)} taken for {className(manifest, predicted)}: {count}
          </button>
        </li>
      ))}
    </ul>
  );
}
