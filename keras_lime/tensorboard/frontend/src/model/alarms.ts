// When a run's shortcut alarm was on, and what its numbers mean in words. Pure.
import type { Alarm, Measure, Reading, RunManifest, ShortcutTests, Summary } from "../data/types.ts";
import { isNumber } from "./numbers.ts";

/** The measure that the rule judges by, and where its alarm begins; older logs were judged by changed predictions. */
export function ruleOf({ shortcut }: RunManifest): { measure: Measure; threshold: number } {
  const reliance = shortcut?.relianceThreshold;
  if (isNumber(reliance)) return { measure: "reliance", threshold: reliance };
  return { measure: "swap_flip", threshold: shortcut?.threshold ?? NaN };
}

/** The alarm that is on at an epoch, or null. */
export function alarmAt({ shortcut }: Summary, step: number | null): Alarm | null {
  return shortcut.alarms.find((alarm) => alarm.step === step) ?? null;
}

/** Whether an alarm is on, by row of the epochs. */
export function alarmRows({ steps, shortcut }: Summary): boolean[] {
  const on = new Set(shortcut.alarms.map(({ step }) => step));
  return steps.map((step) => on.has(step));
}

export interface Episode {
  readonly from: number;
  readonly to: number;
  /** The alarm in its last words. */
  readonly last: Alarm;
}

/** Unbroken stretches of explained epochs with an alarm, rising. */
export function episodesOf(summary: Summary): Episode[] {
  const found: Episode[] = [];
  let open = false;
  for (const step of summary.steps) {
    const last = alarmAt(summary, step);
    if (last !== null && open) found[found.length - 1] = { ...found[found.length - 1], to: step, last };
    else if (last !== null) found.push({ from: step, to: step, last });
    open = last !== null;
  }
  return found;
}

/** "epochs 2 to 7", "epoch 2", "epoch 2 on". */
export function stretch({ from, to }: Pick<Episode, "from" | "to">, newest: number): string {
  if (to === newest) return `epoch ${from} on`;
  return from === to ? `epoch ${from}` : `epochs ${from} to ${to}`;
}

const TESTS: Readonly<Record<string, string>> = {
  swap: "Background swap, all probes",
  "class swap": "Background swap",
  markers: "Small things off the object",
  "class markers": "Small things off the object",
  occlusion: "Hidden",
  "class occlusion": "Hidden, for",
};

const MARKS: ReadonlySet<string> = new Set(["markers", "class markers", "occlusion", "class occlusion"]);

/** What an alarm blames; an alarm without readings, of an older log, may mean either. */
export function blames({ readings }: Alarm): { readonly mark: boolean; readonly background: boolean } {
  const mark = readings.map(({ test }) => MARKS.has(test));
  return { mark: mark.length === 0 || mark.includes(true), background: mark.length === 0 || mark.includes(false) };
}

/** "Background swap, class stop"; a test that this page does not know keeps its own name. */
export function readingTitle({ test, subject }: Reading): string {
  const name = TESTS[test] ?? test;
  if (subject === "") return name;
  if (test === "swap" && subject === "any background") return "Changes on any other background";
  return test.startsWith("class ") && test !== "class occlusion" ? `${name}, ${subject}` : `${name} ${subject}`;
}

/** How many standard errors a number lies above its threshold; NaN where its error is not known. */
export function sureness({ value, stderr, threshold }: Reading): number {
  return stderr > 0 ? (value - threshold) / stderr : NaN;
}

/** What the tests of a run say at an epoch, in words; "no alarm" only where one was made and could speak. */
export function stateOf(manifest: RunManifest, summary: Summary, row: number): string {
  const { shortcut, overall, steps } = summary;
  const alarm = alarmAt(summary, steps[row]);
  if (alarm !== null) return `Shortcut alarm since epoch ${alarm.began}`;
  if (manifest.shortcut === null) return "not tested";
  if (isTooEarly(shortcut, row)) return "too early";
  const status = shortcut.statuses[row] ?? null;
  if (status === "not tested" || status === "cannot say") return status;
  const measured = [overall.reliance, overall.swap_flip, shortcut.frame].some((values) => isNumber(values[row]));
  return measured || status === "passed" ? "no alarm" : "not tested";
}

/** Whether training had not got far enough for a measurement to count. */
export function isTooEarly({ counted }: ShortcutTests, row: number): boolean {
  return counted[row] === 0;
}
