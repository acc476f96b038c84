// Groups of alike heatmaps within a class (SpRAy, Lapuschkin et al. 2019): for people to look at.
import { useEffect } from "preact/hooks";
import { growthOf, prefetchProbe, probeOf } from "../data/store.ts";
import type { ProbeInfo, RunManifest } from "../data/types.ts";
import { className, explainedAt, snapshotAt } from "../model/snapshot.ts";
import { labelsOf } from "../model/tiles.ts";
import { show } from "../state/selection.ts";
import { ExplainedPicture } from "./picture.tsx";
import { useDrawing, useTile } from "./probe.ts";

/** Probes of a class from which on the callback groups its heatmaps. */
const LEAST = 20;
const SMALL = 100;

interface Props {
  run: string;
  manifest: RunManifest;
  step: number;
}

export function Groups({ run, manifest, step }: Props) {
  const labels = labelsOf(manifest.probes);
  const members = (label: number): ProbeInfo[] => manifest.probes.filter((probe) => probe.label === label);
  const large = labels.filter((label) => members(label).length >= LEAST);
  const growth = growthOf(run);
  useEffect(() => {
    for (const label of large) for (const probe of members(label)) prefetchProbe(run, probe.id);
  }, [run, manifest, growth]);
  if (large.length === 0) {
    const most = Math.max(0, ...labels.map((label) => members(label).length));
    return (
      <p class="muted no-groups">
        Groups of alike heatmaps need {LEAST} probes of a class; here a class has {most} at most.
      </p>
    );
  }
  const found = large.flatMap((label) => groupsOf(run, members(label), step).map((group, index) => ({ label, group, index })));
  if (found.length === 0) return null;
  return (
    <section class="card groups" aria-label={`Groups of heatmaps of ${run}`}>
      <h3>Groups of alike heatmaps</h3>
      <p class="muted">
        Explanations of a class that look at the same places, by spectral clustering (SpRAy), the largest group first, anew at
        each epoch. A group that looks elsewhere may be a shortcut or just other pictures: judge by eye. It raises no alarm.
      </p>
      {found.map(({ label, group, index }) => (
        <div key={`${label} ${index}`} class="group" role="group" aria-label={`${className(manifest, label)}, group ${index + 1}`}>
          <h4>
            {className(manifest, label)}, group {index + 1}: {group.length} {group.length === 1 ? "probe" : "probes"}
          </h4>
          <div class="group-tiles">
            {group.map((probe) => (
              <GroupTile key={probe.id} run={run} probe={probe} step={step} />
            ))}
          </div>
        </div>
      ))}
    </section>
  );
}

/** The probes of each group, the largest first; what has no number yet is left out. */
function groupsOf(run: string, probes: readonly ProbeInfo[], step: number): ProbeInfo[][] {
  const groups: ProbeInfo[][] = [];
  for (const probe of probes) {
    const series = probeOf(run, probe.id).numbers.value;
    const group = (series === null ? null : snapshotAt(series, probe, step, "label")?.group) ?? null;
    if (group !== null) (groups[group] ??= []).push(probe);
  }
  return groups.filter((group) => group !== undefined);
}

/** Drawn for the first explained class, which the groups were made from. */
function GroupTile({ run, probe, step }: { run: string; probe: ProbeInfo; step: number }) {
  const [element, , , series, labelled] = useTile(run, probe.id, SMALL);
  const snapshot = series === null ? null : snapshotAt(series, probe, step, "label");
  const first = snapshot?.targets[0];
  const explained = series === null || snapshot === null || first === undefined ? null : explainedAt(series, snapshot.at, first);
  const drawing = useDrawing(explained, series);
  return (
    <button
      ref={element}
      title={probe.name}
      aria-label={probe.name}
      style={{ aspectRatio: `${probe.width} / ${probe.height}` }}
      onClick={() => show({ page: "overview", run, probe: probe.id })}
    >
      {labelled !== null && <ExplainedPicture labelled={labelled} explained={explained} drawing={drawing} label={probe.name} />}
    </button>
  );
}
