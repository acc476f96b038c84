// All probes of a run at one epoch.
import { useEffect } from "preact/hooks";
import { growthOf, prefetchProbe } from "../data/store.ts";
import { percent } from "../model/numbers.ts";
import { currentManifest, currentRow, currentRun, currentSummary, view } from "../state/selection.ts";
import { tiles } from "../state/shownTiles.ts";
import { NothingLeft } from "./empty.tsx";
import { ProbeTile, twoDecimals } from "./tile.tsx";

export function Overview() {
  const run = currentRun.value;
  const manifest = currentManifest.value;
  const growth = run === null ? "" : growthOf(run);
  useEffect(() => {
    if (run !== null) for (const probe of manifest?.probes ?? []) prefetchProbe(run, probe.id);
  }, [run, manifest, growth]);
  if (run === null || manifest === null) return null;
  return (
    <div class="overview">
      <SummaryLine />
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
  const { accuracy, object_share: share, r2 } = summary.overall;
  const total = currentManifest.value?.probes.length ?? 0;
  return (
    <dl class="facts" aria-label="Means over all probes at this epoch">
      <Fact name="Probes" value={tiles.value.length === total ? `${total}` : `${tiles.value.length} of ${total}`} />
      <Fact name="Predicted right" value={percent(accuracy[row])} />
      <Fact name="Object share" value={percent(share[row])} />
      <Fact name="by chance" value={percent(summary.chance[row])} quiet />
      <Fact name="R²" value={twoDecimals(r2[row])} />
    </dl>
  );
}

function Fact({ name, value, quiet }: { name: string; value: string; quiet?: boolean }) {
  return (
    <div class={quiet === true ? "fact muted" : "fact"}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
