// Axes: round numbers for ticks, values to pixels, values to paths. Pure.

/** Round numbers from low to high, about `count` of them: steps of 1, 2 or 5 times a power of ten. */
export function niceTicks(low: number, high: number, count: number, whole = false): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const found = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10;
  const step = whole ? Math.max(1, Math.round(found * power)) : found * power;
  const ticks: number[] = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index++) {
    // Through a string, so that 3 × 0.1 is 0.3; plus 0, so that no tick is −0.
    ticks.push(Number((index * step).toPrecision(12)) + 0);
  }
  return ticks;
}

/** Maps low..high to from..to; a single value stands in the middle. */
export function linear(low: number, high: number, from: number, to: number): (value: number) => number {
  if (high === low) return () => (from + to) / 2;
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/** An SVG path through points; a gap breaks the line, or is bridged where `span` says so. */
export function linePath(xs: readonly number[], ys: readonly (number | null)[], span: boolean): string {
  let path = "";
  let pen = false;
  ys.forEach((y, index) => {
    if (y !== null) path += `${pen ? "L" : "M"}${xs[index].toFixed(1)} ${y.toFixed(1)}`;
    pen = y !== null || (pen && span);
  });
  return path;
}

/** Index of the value nearest to `wanted`; -1 of none. Values rise. */
export function nearest(values: readonly number[], wanted: number): number {
  let best = -1;
  values.forEach((value, index) => {
    if (best < 0 || Math.abs(value - wanted) < Math.abs(values[best] - wanted)) best = index;
  });
  return best;
}
