// Weights of a few superpixels over the epochs, with two standard errors; the pointed one stands out.
import type { Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Series } from "../data/types.ts";
import { historyOf } from "../model/snapshot.ts";
import { laterFitsOf } from "../model/curves.ts";
import { currentManifest } from "../state/selection.ts";
import { isNumber, signed } from "../model/numbers.ts";
import { Chart, type Line } from "./chart.tsx";

interface Props {
  series: Series;
  target: number;
  /** Weights on the log-odds. */
  logOdds: boolean;
  segments: readonly number[];
  colourOf: (segment: number) => string | null;
  pointed: Signal<number | null>;
  /** Row of the epoch shown. */
  at: number;
  onRow: (row: number) => void;
}

const HEIGHT = 168;
/** Error bars at more epochs than this would be a smear; then only the pointed line has them. */
const MANY_EPOCHS = 25;

export function History({ series, target, logOdds, segments, colourOf, pointed, at, onRow }: Props) {
  const focus = pointed.value;
  const known = focus === null || focus >= series.segments ? null : focus;
  const lines = useMemo(() => {
    const shown = known === null || segments.includes(known) ? segments : [...segments, known];
    return shown.map((segment): Line => {
      const { weights, stderr } = historyOf(series, target, segment, logOdds);
      const alone = segment === known;
      return {
        name: `superpixel ${segment}`,
        colour: colourOf(segment) ?? "var(--accent)",
        values: weights.map((weight) => (isNumber(weight) ? weight : null)),
        errors: alone || (known === null && series.steps.length <= MANY_EPOCHS) ? stderr.map((error) => 2 * error) : [],
        strong: alone,
        faded: known !== null && !alone,
      };
    });
  }, [series, target, logOdds, segments, known, colourOf]);
  const range = useMemo(() => reach(lines), [lines]);
  return (
    <Chart
      steps={series.steps}
      lines={lines}
      range={range}
      height={HEIGHT}
      label="Weights of the strongest superpixels over the epochs"
      format={(value) => (value === 0 ? "0" : signed(value).replace(/\.?0+$/, ""))}
      span={false}
      legend={false}
      mark={series.steps[at]}
      fits={laterFitsOf(currentManifest.value)}
      onPick={onRow}
    />
  );
}

/** Zero is always in sight. */
function reach(lines: readonly Line[]): [number, number] {
  const values = lines.flatMap((line) => line.values.filter((value) => value !== null));
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const margin = (high - low || 1) * 0.08;
  return [low - (low < 0 ? margin : 0), high + margin];
}
