// What is shown over a picture while a superpixel is pointed at: its rim, and a card with its weight and history.
import { useMemo } from "preact/hooks";
import { outlinePath, outlinesPath } from "../draw/outline.ts";
import type { LabelledPicture } from "../draw/overlay.ts";
import { SEGMENT_DIAGNOSTIC } from "../data/schema.ts";
import type { RunManifest } from "../data/types.ts";
import { flagged, segmentSentences } from "../model/diagnostics.ts";
import { Icon } from "./icons.tsx";
import type { Explained } from "../model/snapshot.ts";
import { isFaint, isNumber, percent, signed } from "../model/numbers.ts";

export function Rim({ labelled, segment }: { labelled: LabelledPicture; segment: number | null }) {
  const path = useMemo(() => (segment === null ? "" : outlinePath(labelled, segment)), [labelled, segment]);
  return <RimPath labelled={labelled} path={path} kind="rim" />;
}

/** Dashed rims around superpixels whose sign is not to be relied on. */
export function UnsureRims({ labelled, explained }: { labelled: LabelledPicture; explained: Explained }) {
  const { flags } = explained;
  const path = useMemo(() => outlinesPath(labelled, flagged({ flags }, SEGMENT_DIAGNOSTIC.signFlips | SEGMENT_DIAGNOSTIC.contradicted)), [labelled, flags]);
  return <RimPath labelled={labelled} path={path} kind="rim unsure" />;
}

function RimPath({ labelled, path, kind }: { labelled: LabelledPicture; path: string; kind: string }) {
  return (
    <svg class={kind} viewBox={`0 0 ${labelled.width} ${labelled.height}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} class="halo" />
      <path d={path} />
    </svg>
  );
}

interface CardProps {
  manifest: RunManifest;
  segment: number;
  explained: Explained;
  fraction: number | null;
  history: readonly number[];
  at: number;
}

export function SegmentCard({ manifest, segment, explained, fraction, history, at }: CardProps) {
  const weight = explained.weights[segment];
  const stderr = explained.stderr?.[segment] ?? null;
  const known = isNumber(stderr) && isNumber(weight);
  const doubts = segmentSentences(manifest, explained, segment);
  return (
    <div class="segment-card" role="status">
      <b>Superpixel {segment}</b>
      <span class="weight">
        {signed(weight)}
        {known && <small> ± {signed(2 * stderr).slice(1)}</small>}
      </span>
      <span class="muted">
        {meaningOf(weight, stderr)}
        {isNumber(fraction) && `, ${percent(fraction)} on the object`}
      </span>
      <Sparkline values={history} at={at} />
      {doubts.map((doubt) => (
        <span key={doubt} class="caveat">
          <Icon name="warning" /> {doubt}
        </span>
      ))}
    </div>
  );
}

function meaningOf(weight: number, stderr: number | null): string {
  if (!isNumber(weight)) return "no weight";
  if (isFaint(weight, stderr)) return "not to be told from zero";
  return weight > 0 ? "for the class" : "against the class";
}

const WIDTH = 120;
const HEIGHT = 28;

/** The weight over all epochs, with zero as a line and the epoch shown as a dot. */
function Sparkline({ values, at }: { values: readonly number[]; at: number }) {
  const finite = values.filter(isNumber);
  if (finite.length < 2) return null;
  const reach = Math.max(...finite.map(Math.abs)) || 1;
  const x = (row: number): number => 3 + (row / Math.max(values.length - 1, 1)) * (WIDTH - 6);
  const y = (value: number): number => HEIGHT / 2 - (value / reach) * (HEIGHT / 2 - 3);
  let path = "";
  values.forEach((value, row) => {
    if (isNumber(value)) path += `${row > 0 && isNumber(values[row - 1]) ? "L" : "M"}${x(row)} ${y(value)}`;
  });
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="its weight over the epochs">
      <line x1="0" x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} />
      <path d={path} />
      {isNumber(values[at]) && <circle cx={x(at)} cy={y(values[at])} r="3" />}
    </svg>
  );
}
