// Small plots of what was measured at each epoch, in plain SVG.
import { percent } from "../model/numbers.ts";
import type { CurveData } from "./content.ts";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [420, 150, 40, 22, 8];

export function CurvePlots({ curves }: { curves: readonly CurveData[] }) {
  if (curves.every(({ epochs }) => epochs.length < 2)) return null;
  return (
    <section>
      <h2>Over the epochs</h2>
      <p>The band is one standard error each side; dashes show what chance would give.</p>
      <div class="curves">
        {curves.map((curve) => (
          <CurvePlot key={curve.name} curve={curve} />
        ))}
      </div>
    </section>
  );
}

function CurvePlot({ curve }: { curve: CurveData }) {
  const { epochs, values, errors, chance, name } = curve;
  const [first, last] = [epochs[0] as number, epochs[epochs.length - 1] as number];
  const known = values.filter((value): value is number => value !== null);
  const low = Math.min(0, ...known);
  const x = (epoch: number): number => LEFT + ((epoch - first) / Math.max(1, last - first)) * (WIDTH - LEFT - 8);
  const y = (value: number): number => TOP + ((1 - value) / (1 - low)) * (HEIGHT - TOP - BOTTOM);
  const newest = known[known.length - 1] ?? null;
  return (
    <figure class="curve">
      <figcaption>
        {name} <b>{percent(newest)}</b>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${name}: ${percent(newest)} at epoch ${last}`}>
        {[0, 0.5, 1].map((tick) => (
          <g key={tick}>
            <line class="grid" x1={LEFT} x2={WIDTH - 8} y1={y(tick)} y2={y(tick)} />
            <text x={LEFT - 6} y={y(tick) + 4} text-anchor="end">
              {percent(tick)}
            </text>
          </g>
        ))}
        <text x={LEFT} y={HEIGHT - 4}>
          epoch {first}
        </text>
        <text x={WIDTH - 8} y={HEIGHT - 4} text-anchor="end">
          {last}
        </text>
        {errors !== null && <path class="band" d={band(epochs, values, errors, x, y)} />}
        {chance !== null && <path class="chance" d={line(epochs, chance, x, y)} />}
        <path class="line" d={line(epochs, values, x, y)} />
      </svg>
    </figure>
  );
}

type Scale = (value: number) => number;

/** A path with a gap where nothing was measured. */
function line(epochs: readonly number[], values: readonly (number | null)[], x: Scale, y: Scale): string {
  let pen = "M";
  let path = "";
  values.forEach((value, row) => {
    if (value === null) pen = "M";
    else {
      path += `${pen}${x(epochs[row] as number).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
    }
  });
  return path;
}

function band(
  epochs: readonly number[],
  values: readonly (number | null)[],
  errors: readonly (number | null)[],
  x: Scale,
  y: Scale,
): string {
  const rows = [...epochs.keys()].filter((row) => values[row] !== null && errors[row] !== null);
  const edge = (row: number, sign: number): string => {
    const value = (values[row] as number) + sign * (errors[row] as number);
    return `${x(epochs[row] as number).toFixed(1)} ${y(value).toFixed(1)}`;
  };
  if (rows.length < 2) return "";
  return `M${rows.map((row) => edge(row, 1)).join("L")}L${[...rows].reverse().map((row) => edge(row, -1)).join("L")}Z`;
}
