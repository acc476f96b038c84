// One probe in the overview: the picture with its explanation, and the numbers that matter.
import type { ProbeInfo, RunManifest } from "../data/types.ts";
import { className, type Snapshot, snapshotAt } from "../model/snapshot.ts";
import { DiagnosticMark } from "./diagnosticList.tsx";
import { decimal, isNumber, percent, probability, twoDecimals } from "../model/numbers.ts";
import { rememberPlace } from "../state/place.ts";
import { currentStep, show, view } from "../state/selection.ts";
import { ScaleBadge, ScaleSentence } from "./scaleNote.tsx";
import { ExplainedPicture } from "./picture.tsx";
import { useDrawing, useTile } from "./probe.ts";

/** Pixels of the longer side from which on a tile shows every second or third pixel only. */
const SMALL = 400;

interface Props {
  run: string;
  probe: ProbeInfo;
  manifest: RunManifest;
}

export function ProbeTile({ run, probe, manifest }: Props) {
  const [element, seen, data, series, labelled] = useTile(run, probe.id, SMALL);
  const snapshot = !seen || series === null ? null : snapshotAt(series, probe, currentStep.value, view.target, view.basis);
  const drawing = useDrawing(snapshot?.shown ?? null, series);
  return (
    <button
      ref={element}
      class={snapshot?.wrong === true ? "tile wrong" : "tile"}
      data-probe={probe.id}
      aria-label={tileLabel(probe, manifest, snapshot)}
      onClick={() => {
        rememberPlace(run, { top: element.current?.getBoundingClientRect().top ?? 0, probe: probe.id });
        show({ probe: probe.id });
      }}
    >
      <span class="frame" style={{ aspectRatio: `${probe.width} / ${probe.height}` }}>
        {seen && labelled !== null ? (
          <ExplainedPicture
            labelled={labelled}
            explained={snapshot?.shown ?? null}
            drawing={drawing}
            label={pictureLabel(probe, manifest, snapshot)}
          />
        ) : (
          <TileGap problem={data.problem.value} />
        )}
        {labelled !== null && snapshot !== null && snapshot.shown === null && <NotExplained manifest={manifest} />}
        {snapshot?.shown && <ScaleBadge explained={snapshot.shown} scale={drawing.scale} />}
        {snapshot?.shown && <DiagnosticMark manifest={manifest} explained={snapshot.shown} />}
      </span>
      <span class="name" title={probe.name}>
        {probe.name}
      </span>
      <Prediction probe={probe} manifest={manifest} snapshot={snapshot} />
      <Share probe={probe} snapshot={snapshot} />
      {snapshot?.shown && <ScaleSentence manifest={manifest} explained={snapshot.shown} />}
    </button>
  );
}

function TileGap({ problem }: { problem: string | null }) {
  return problem === null ? <span class="waiting" aria-label="on the way" /> : <span class="problem">{problem}</span>;
}

function NotExplained({ manifest }: { manifest: RunManifest }) {
  const { target } = view;
  const what = typeof target === "number" ? className(manifest, target) : "this class";
  return <span class="veil">{what}: not explained at this epoch</span>;
}

export function Prediction({ probe, manifest, snapshot }: { probe: ProbeInfo; manifest: RunManifest; snapshot: Snapshot | null }) {
  if (snapshot === null) return <span class="prediction muted">…</span>;
  if (snapshot.predicted === null) return <span class="prediction">{decimal(snapshot.predictedValue)}</span>;
  const name = className(manifest, snapshot.predicted);
  return (
    <span class="prediction" title={probe.label === null ? undefined : `true class: ${className(manifest, probe.label)}`}>
      {snapshot.wrong !== null && <b class={snapshot.wrong ? "cross" : "tick"}>{snapshot.wrong ? "✗" : "✓"}</b>}
      <span class="name">{name}</span> {probability(snapshot.predictedValue)}
      {snapshot.wrong === true && <span class="visually-hidden"> wrong, true class {className(manifest, probe.label)}</span>}
    </span>
  );
}

/** Object share as a bar with a mark where chance would be, and R². */
export function Share({ probe, snapshot }: { probe: ProbeInfo; snapshot: Snapshot | null }) {
  const shown = snapshot?.shown ?? null;
  const share = shown?.objectShare ?? NaN;
  return (
    <span class="share">
      {probe.chance !== null && (
        <span
          class="meter"
          title={`object share ${percent(share)}: how much of the positive weight lies on the object; by chance ${percent(probe.chance)}`}
        >
          <i style={{ width: `${isNumber(share) ? share * 100 : 0}%` }} />
          <u style={{ left: `${probe.chance * 100}%` }} />
        </span>
      )}
      {probe.chance !== null && <span>{percent(share)} on object</span>}
      <span class="muted" title="how well the explanation fits the model near this picture">
        R² {twoDecimals(shown?.r2)}
      </span>
    </span>
  );
}

/** Begins with the probe, then what was predicted. */
function tileLabel(probe: ProbeInfo, manifest: RunManifest, snapshot: Snapshot | null): string {
  if (snapshot === null) return probe.name;
  const said = snapshot.predicted === null ? decimal(snapshot.predictedValue) : className(manifest, snapshot.predicted);
  const share = snapshot.shown !== null && isNumber(snapshot.shown.objectShare);
  return [
    probe.name,
    `predicted ${said}`,
    ...(snapshot.wrong === true ? [`wrong, true class ${className(manifest, probe.label)}`] : []),
    ...(share ? [`${percent(snapshot.shown!.objectShare)} on the object`] : []),
  ].join(", ");
}

export function pictureLabel(probe: ProbeInfo, manifest: RunManifest, snapshot: Snapshot | null): string {
  if (snapshot === null) return `${probe.name}, not explained yet`;
  const target = snapshot.shown === null ? "" : ` for ${className(manifest, snapshot.shown.target)}`;
  return `Explanation of ${probe.name}${target} at epoch ${snapshot.step}`;
}
