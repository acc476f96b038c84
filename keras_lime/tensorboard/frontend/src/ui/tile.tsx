// One probe in the overview: the picture with its explanation, and the numbers that matter.
import type { ProbeInfo, RunManifest } from "../data/types.ts";
import { className, type Moment, momentAt } from "../model/moment.ts";
import { DoubtMark } from "./trust.tsx";
import { decimal, isNumber, percent, probability } from "../model/numbers.ts";
import { currentStep, show, view } from "../state/app.ts";
import { ExplainedPicture } from "./picture.tsx";
import { useTile } from "./probe.ts";

/** Pixels of the longer side from which on a tile shows every second or third pixel only. */
const SMALL = 400;

interface Props {
  run: string;
  probe: ProbeInfo;
  manifest: RunManifest;
}

export function ProbeTile({ run, probe, manifest }: Props) {
  const [element, seen, data, series, sheet, drawing] = useTile(run, probe.id, SMALL);
  const moment = !seen || series === null ? null : momentAt(series, probe, currentStep.value, view.target);
  return (
    <button
      ref={element}
      class={moment?.wrong === true ? "tile wrong" : "tile"}
      data-probe={probe.id}
      onClick={() => show({ probe: probe.id })}
    >
      <span class="frame" style={{ aspectRatio: `${probe.width} / ${probe.height}` }}>
        {seen && sheet !== null ? (
          <ExplainedPicture
            sheet={sheet}
            explained={moment?.shown ?? null}
            drawing={drawing}
            label={pictureLabel(probe, manifest, moment)}
          />
        ) : (
          <TileGap problem={data.problem.value} />
        )}
        {sheet !== null && moment !== null && moment.shown === null && <NotExplained manifest={manifest} />}
        {moment?.shown && <DoubtMark manifest={manifest} explained={moment.shown} />}
      </span>
      <span class="name" title={probe.name}>
        {probe.name}
      </span>
      <Prediction probe={probe} manifest={manifest} moment={moment} />
      <Share probe={probe} moment={moment} />
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

export function Prediction({ probe, manifest, moment }: { probe: ProbeInfo; manifest: RunManifest; moment: Moment | null }) {
  if (moment === null) return <span class="prediction muted">…</span>;
  if (moment.predicted === null) return <span class="prediction">{decimal(moment.predictedValue)}</span>;
  const name = className(manifest, moment.predicted);
  return (
    <span class="prediction" title={probe.label === null ? undefined : `true class: ${className(manifest, probe.label)}`}>
      {moment.wrong !== null && <b class={moment.wrong ? "cross" : "tick"}>{moment.wrong ? "✗" : "✓"}</b>}
      <span class="name">{name}</span> {probability(moment.predictedValue)}
      {moment.wrong === true && <span class="visually-hidden"> wrong, true class {className(manifest, probe.label)}</span>}
    </span>
  );
}

/** Object share as a bar with a mark where chance would be, and R². */
export function Share({ probe, moment }: { probe: ProbeInfo; moment: Moment | null }) {
  const shown = moment?.shown ?? null;
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
      {probe.chance !== null && <span>{percent(share)}</span>}
      <span class="muted" title="how well the explanation fits the model near this picture">
        R² {twoDecimals(shown?.r2)}
      </span>
    </span>
  );
}

export function twoDecimals(value: number | undefined): string {
  return !isNumber(value) ? "–" : value.toFixed(2).replace(/^-0.00$/, "0.00").replace("-", "−");
}

export function pictureLabel(probe: ProbeInfo, manifest: RunManifest, moment: Moment | null): string {
  if (moment === null) return `${probe.name}, not explained yet`;
  const target = moment.shown === null ? "" : ` for ${className(manifest, moment.shown.target)}`;
  return `Explanation of ${probe.name}${target} at epoch ${moment.step}`;
}
