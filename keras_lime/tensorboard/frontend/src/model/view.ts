// What the user looks at, and its form in the address. Pure.
//
// Only what differs from the default is written, one `lime_…=value` each, so that TensorBoard's own `#tab&key=value`
// address can carry it and a link stays short. Unknown keys and impossible values are ignored.
import { type Ground, GROUNDS, OPACITY, PALETTES, type PaletteName } from "../draw/overlay.ts";
import { MEASURES, type Measure } from "../data/types.ts";

export const PAGES = ["overview", "shortcut", "classes", "objects", "compare"] as const;
export const SIGNS = ["both", "positive", "negative"] as const;
export const STYLES = ["fill", "outline"] as const;
export const SORTS = ["given", "name", "share", "wrong", "r2", "certainty", "weight", "change", "flips"] as const;
/** The weight with the full colour: the largest of this image, of its probe at any epoch, of all probes. */
export const SCALES = ["image", "probe", "all"] as const;
/** What weights are of: the probability, the log-odds, or these by themselves where the probability hardly moves. */
export const BASES = ["auto", "probability", "logit"] as const;
export type Basis = (typeof BASES)[number];
export const SIZES = ["small", "medium", "large"] as const;

/** Which of the explained outputs: what the model says, what is true, or one class. */
export type Target = "predicted" | "label" | number;

export interface View {
  readonly page: (typeof PAGES)[number];
  /** Shown in detail, over the page. */
  readonly probe: string | null;
  /** null: the first run that has data. */
  readonly run: string | null;
  /** null: the newest, and stay there while the run grows. */
  readonly epoch: number | null;
  /** Second side of the comparison; null: see `otherSide` in model/comparison.ts. */
  readonly otherRun: string | null;
  readonly otherEpoch: number | null;
  /** Runs in the shortcut chart; null: all. */
  readonly runs: readonly string[] | null;
  /** null: what tells most of the runs. */
  readonly measure: Measure | null;
  readonly target: Target;
  readonly sign: (typeof SIGNS)[number];
  readonly features: number | null;
  readonly minWeight: number;
  readonly opacity: number;
  readonly borders: boolean;
  readonly hideRest: boolean;
  readonly ground: Ground;
  readonly scaleOf: (typeof SCALES)[number];
  readonly basis: Basis;
  readonly style: (typeof STYLES)[number];
  readonly palette: PaletteName;
  readonly sort: (typeof SORTS)[number];
  readonly onlyClass: number | null;
  readonly onlyPredicted: number | null;
  readonly search: string;
  /** Probes that stand first. */
  readonly pinned: readonly string[] | null;
  readonly wrongOnly: boolean;
  /** Show probes with at most this object share; 1: all. */
  readonly maxShare: number;
  readonly size: (typeof SIZES)[number];
}

export const DEFAULT_VIEW: View = {
  page: "overview",
  probe: null,
  run: null,
  epoch: null,
  otherRun: null,
  otherEpoch: null,
  runs: null,
  measure: null,
  target: "predicted",
  sign: "both",
  features: null,
  minWeight: 0,
  opacity: OPACITY,
  borders: false,
  hideRest: false,
  ground: "grey",
  scaleOf: "image",
  basis: "auto",
  style: "fill",
  palette: "green-red",
  sort: "given",
  onlyClass: null,
  onlyPredicted: null,
  search: "",
  pinned: null,
  wrongOnly: false,
  maxShare: 1,
  size: "medium",
};

const PREFIX = "lime_";

interface Codec<T> {
  readonly write: (value: T) => string;
  /** undefined: not a value of this kind. */
  readonly read: (text: string) => T | undefined;
}

const text: Codec<string | null> = { write: (value) => value ?? "", read: (value) => value };
const flag: Codec<boolean> = { write: (value) => (value ? "1" : "0"), read: (value) => value === "1" };
const list: Codec<readonly string[] | null> = {
  write: (value) => JSON.stringify(value),
  read: (value) => {
    try {
      const parsed: unknown = JSON.parse(value);
      return Array.isArray(parsed) ? parsed.map(String) : undefined;
    } catch {
      return undefined;
    }
  },
};
const target: Codec<Target> = {
  write: String,
  read: (value) => (value === "predicted" || value === "label" ? value : readNumber(value, 0, Infinity, true)),
};

function oneOf<T extends string>(options: readonly T[]): Codec<T> {
  return { write: (value) => value, read: (value) => options.find((option) => option === value) };
}

function number(low: number, high: number, whole: boolean): Codec<number | null> {
  return { write: String, read: (value) => readNumber(value, low, high, whole) };
}

function readNumber(value: string, low: number, high: number, whole: boolean): number | undefined {
  const parsed = value.trim() === "" ? NaN : Number(value);
  const possible = Number.isFinite(parsed) && parsed >= low && parsed <= high && (!whole || Number.isInteger(parsed));
  return possible ? parsed : undefined;
}

const CODECS: { readonly [K in keyof View]: Codec<View[K]> } = {
  page: oneOf(PAGES),
  probe: text,
  run: text,
  epoch: number(-Infinity, Infinity, true),
  otherRun: text,
  otherEpoch: number(-Infinity, Infinity, true),
  runs: list,
  measure: oneOf(MEASURES) as Codec<Measure | null>,
  target,
  sign: oneOf(SIGNS),
  features: number(1, Infinity, true),
  minWeight: number(0, Infinity, false) as Codec<number>,
  opacity: number(0, 1, false) as Codec<number>,
  borders: flag,
  hideRest: flag,
  ground: oneOf(GROUNDS),
  scaleOf: oneOf(SCALES),
  basis: oneOf(BASES),
  style: oneOf(STYLES),
  palette: oneOf(Object.keys(PALETTES) as PaletteName[]),
  sort: oneOf(SORTS),
  onlyClass: number(0, Infinity, true),
  onlyPredicted: number(0, Infinity, true),
  search: text as Codec<string>,
  pinned: list,
  wrongOnly: flag,
  maxShare: number(0, 1, false) as Codec<number>,
  size: oneOf(SIZES),
};

const KEYS = Object.keys(CODECS) as (keyof View)[];

/** "lime_run=a&lime_epoch=3"; empty for the default view. */
export function formatView(view: View): string {
  return KEYS.filter((key) => view[key] !== DEFAULT_VIEW[key])
    .map((key) => `${PREFIX}${key}=${encodeURIComponent((CODECS[key] as Codec<unknown>).write(view[key]))}`)
    .join("&");
}

/** The view of an address; what it does not say, or says wrongly, is the default. */
export function parseView(hash: string): View {
  const found: Record<string, unknown> = {};
  for (const part of hash.replace(/^#/, "").split("&")) {
    const equals = part.indexOf("=");
    const key = part.slice(PREFIX.length, equals) as keyof View;
    if (equals < 0 || !part.startsWith(PREFIX) || !KEYS.includes(key)) continue;
    const value = (CODECS[key] as Codec<unknown>).read(decode(part.slice(equals + 1)));
    if (value !== undefined) found[key] = value;
  }
  return { ...DEFAULT_VIEW, ...found };
}

/** A hash with this page's keys replaced by the view's; the tab's name and foreign keys stay, in their order. */
export function withView(hash: string, view: View): string {
  const foreign = hash
    .replace(/^#/, "")
    .split("&")
    .filter((part) => part !== "" && !part.startsWith(PREFIX));
  const own = formatView(view);
  return [...foreign, ...(own === "" ? [] : [own])].join("&");
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
