// Of each class the parts of its probes that speak for it most, in their own colours: what the class is read off, at once.
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { probeOf } from "../data/store.ts";
import type { ProbeInfo, RunManifest } from "../data/types.ts";
import { cutPatch } from "../draw/patch.ts";
import type { LabelledPicture } from "../draw/overlay.ts";
import { className, type Explained, explainedAt, rowAt } from "../model/snapshot.ts";
import { isFaint, signed } from "../model/numbers.ts";
import { labelsOf } from "../model/tiles.ts";
import { currentManifest, currentRun, currentStep, show, view } from "../state/selection.ts";
import { useProbe } from "./probe.ts";
import { useVisible } from "./useVisible.ts";

/** Of so many probes of a class parts are taken, at most so many of each, and so many are shown. */
const MOST_PROBES = 24;
const EACH = 3;
const SHOWN = 18;

export function ClassSheet() {
  const run = currentRun.value;
  const manifest = currentManifest.value;
  if (run === null || manifest === null) return null;
  const labels = labelsOf(manifest.probes);
  if (labels.length === 0) {
    return (
      <p class="empty" role="status">
        The probes have no labels, so no class has probes of its own.
      </p>
    );
  }
  return (
    <div class="class-sheet">
      <h2 class="visually-hidden">What speaks for each class</h2>
      <p class="muted">
        The superpixels with the largest weights for their true class, over all probes of the class, the largest first. Parts of
        one kind that are not the object point to a shortcut.
      </p>
      {labels.map((label) => (
        <ClassRow key={`${run} ${label}`} run={run} manifest={manifest} label={label} />
      ))}
    </div>
  );
}

interface RowProps {
  run: string;
  manifest: RunManifest;
  label: number;
}

interface Part {
  readonly probe: ProbeInfo;
  readonly segment: number;
  readonly weight: number;
}

function ClassRow({ run, manifest, label }: RowProps) {
  const element = useRef<HTMLElement>(null);
  const visible = useVisible(element);
  const probes = useMemo(
    () => manifest.probes.filter((probe) => probe.label === label).slice(0, MOST_PROBES),
    [manifest, label],
  );
  const name = className(manifest, label);
  const parts = visible ? strongestParts(run, probes, label) : [];
  return (
    <section ref={element} class="card class-row" aria-label={name}>
      <h3>{name}</h3>
      {visible && probes.map((probe) => <Fetch key={probe.id} run={run} probe={probe.id} />)}
      {visible && parts.length === 0 && <p class="muted">No superpixel speaks for this class beyond doubt at this epoch.</p>}
      <ul class="parts">
        {parts.map(({ probe, segment, weight }) => (
          <li key={`${probe.id} ${segment}`}>
            <button
              title={`${probe.name}: weight ${signed(weight)}`}
              aria-label={`${probe.name}, superpixel ${segment}, weight ${signed(weight)}`}
              onClick={() => show({ page: "overview", probe: probe.id, target: label })}
            >
              <PatchPicture labelled={probeOf(run, probe.id).labelled.value} segment={segment} />
              <span>{signed(weight)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Fetches while it stands. */
function Fetch({ run, probe }: { run: string; probe: string }) {
  useProbe(run, probe, true);
  return null;
}

function strongestParts(run: string, probes: readonly ProbeInfo[], label: number): Part[] {
  const parts = probes.flatMap((probe): Part[] => {
    const series = probeOf(run, probe.id).numbers.value;
    const at = series === null ? -1 : rowAt(series.steps, currentStep.value);
    // One scale for all probes: the log-odds, where they are logged, whatever each probability does.
    const basis = view.basis === "auto" ? "logit" : view.basis;
    const explained = series === null || at < 0 ? null : explainedAt(series, at, label, basis);
    return explained === null ? [] : forClass(explained).map((segment) => ({ probe, segment, weight: explained.weights[segment] }));
  });
  return parts.sort((a, b) => b.weight - a.weight).slice(0, SHOWN);
}

/** The strongest superpixels for the class that are beyond doubt. */
function forClass({ weights, stderr }: Explained): number[] {
  return [...weights.keys()]
    .filter((segment) => weights[segment] > 0 && !isFaint(weights[segment], stderr?.[segment] ?? null))
    .sort((a, b) => weights[b] - weights[a])
    .slice(0, EACH);
}

function PatchPicture({ labelled, segment }: { labelled: LabelledPicture | null; segment: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const patch = useMemo(() => (labelled === null ? null : cutPatch(labelled, segment)), [labelled, segment]);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d") ?? null;
    if (context === null || patch === null) return;
    const image = context.createImageData(patch.width, patch.height);
    image.data.set(patch.rgba);
    context.putImageData(image, 0, 0);
  }, [patch]);
  return <canvas ref={canvas} class="coarse" width={patch?.width ?? 1} height={patch?.height ?? 1} aria-hidden="true" />;
}
