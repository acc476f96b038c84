// All probes of a run at one epoch.
import { useEffect } from "preact/hooks";
import { growthOf, prefetchProbe } from "../data/store.ts";
import { percent, twoDecimals } from "../model/numbers.ts";
import { currentManifest, currentRow, currentRun, currentSummary, view } from "../state/selection.ts";
import type { Summary } from "../data/types.ts";
import { type Means, meansOf, type Tile } from "../model/tiles.ts";
import { allTiles, isListed, needsNumbers, tiles } from "../state/shownTiles.ts";
import { Confusion } from "./confusion.tsx";
import { HowToRead } from "./advice.tsx";
import { NothingLeft } from "./empty.tsx";
import { ProbeTile } from "./tile.tsx";

export function Overview() {
  const run = currentRun.value;
  const manifest = currentManifest.value;
  const wanted = currentSummary.value !== null && !isListed.value && needsNumbers.value;
  const growth = run === null ? "" : growthOf(run);
  useEffect(() => {
    // Only where order or choice needs what an older log does not list.
    if (run !== null && wanted) for (const probe of manifest?.probes ?? []) prefetchProbe(run, probe.id);
  }, [run, manifest, growth, wanted]);
  if (run === null || manifest === null) return null;
  return (
    <div class="overview">
      <SummaryLine />
      <HowToRead />
      {isListed.value && <Confusion manifest={manifest} />}
      <div class={`grid ${view.size}`}>
        {tiles.value.map(({ probe }) => (
          <ProbeTile key={`${run} ${probe.id}`} run={run} probe={probe} manifest={manifest} />
        ))}
      </div>
      {tiles.value.length === 0 && <NothingLeft />}
    </div>
  );
}

function SummaryLine() {
  const summary = currentSummary.value;
  const row = currentRow.value;
  if (summary === null || row < 0) return null;
  const total = currentManifest.value?.probes.length ?? 0;
  const all = tiles.value.length === total;
  const means = all ? overallMeans(summary, row) : meansOf(shownWithNumbers());
  return (
    <dl class="facts" aria-label={all ? "Means over all probes at this epoch" : "Means over the shown probes at this epoch"}>
      <Fact name="Probes" value={all ? `${total}` : `${tiles.value.length} of ${total}`} />
      <Fact name="Predicted right" value={percent(means.accuracy)} />
      <Fact name="Object share" value={percent(means.share)} />
      <Fact name="by chance" value={percent(means.chance)} quiet />
      <Fact name="R²" value={twoDecimals(means.r2)} />
    </dl>
  );
}

function overallMeans({ overall, chance }: Summary, row: number): Means {
  return { accuracy: overall.accuracy[row], share: overall.object_share[row], chance: chance[row], r2: overall.r2[row] };
}

/** The shown tiles with what the summary says of them. */
function shownWithNumbers(): readonly Tile[] {
  if (!isListed.value) return tiles.value;
  const shown = new Set(tiles.value.map(({ probe }) => probe.id));
  return allTiles.value.filter(({ probe }) => shown.has(probe.id));
}

function Fact({ name, value, quiet }: { name: string; value: string; quiet?: boolean }) {
  return (
    <div class={quiet === true ? "fact muted" : "fact"}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
