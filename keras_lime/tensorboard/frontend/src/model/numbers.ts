// Numbers as people read them. Pure.

const NOTHING = "–";

/** Whether something is measured: neither missing nor NaN nor infinite. */
export function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

/** .5 → "50 %", below one percent with one decimal, never 0 for what is not; NaN and null: a dash. */
export function percent(share: number | null | undefined): string {
  if (!isNumber(share)) return NOTHING;
  const value = share * 100;
  if (value > 0 && value < 0.05) return "< 0.1 %";
  const digits = Math.abs(value) > 0 && Math.abs(value) < 1 ? 1 : 0;
  return `${value.toFixed(digits).replace("-", "−")} %`;
}

/** A share with its standard error, as Python writes it: "69 ± 7 %"; without an error the share alone. */
export function percentWithError(share: number | null | undefined, error: number | null | undefined): string {
  if (!isNumber(share) || !isNumber(error)) return percent(share);
  // As many digits as the error has.
  const digits = error > 0 && error < 0.01 ? 1 : 0;
  const [value, spread] = [share, error].map((each) => (100 * each).toFixed(digits).replace(/^-(0(?:\.0)?)$/, "$1").replace("-", "−"));
  return `${value} ± ${spread} %`;
}

/** A probability, never shown as certain when it is not: .9999 → "99.9 %". */
export function probability(value: number | null | undefined): string {
  if (isNumber(value) && value < 1 && value > 0.995) return "> 99 %";
  return percent(value);
}

/** Three decimals; of small numbers two digits that say something; below a thousandth as a power of ten, to stay short. */
export function decimal(value: number | null | undefined): string {
  if (!isNumber(value)) return NOTHING;
  if (value === 0) return "0";
  return fixed(value, Math.abs(value)).replaceAll("-", "−");
}

function fixed(value: number, magnitude: number): string {
  if (magnitude >= 100) return value.toFixed(0);
  if (magnitude >= 0.01) return value.toFixed(3);
  return magnitude >= 0.001 ? value.toPrecision(2) : value.toExponential(1);
}

/** Like `decimal`, with a plus sign: weights are for or against. */
export function signed(value: number | null | undefined): string {
  const shown = decimal(value);
  return isNumber(value) && value > 0 ? `+${shown}` : shown;
}

/** A difference of probabilities in percentage points: .42 → "+42 points". */
export function points(difference: number | null | undefined): string {
  if (!isNumber(difference)) return NOTHING;
  const rounded = Math.round(100 * difference);
  return `${rounded < 0 ? "−" : "+"}${Math.abs(rounded)} points`;
}

/** R², agreements and the like: two decimals, never −0. */
export function twoDecimals(value: number | null | undefined): string {
  return !isNumber(value) ? NOTHING : value.toFixed(2).replace(/^-0.00$/, "0.00").replace("-", "−");
}

/** A weight that its own error cannot tell from zero: within two standard errors. */
export function isFaint(weight: number, stderr: number | null): boolean {
  return isNumber(stderr) && Math.abs(weight) <= 2 * stderr && stderr > 0;
}
