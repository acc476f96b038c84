// Answers → manifest, summary, series, segments, swaps. Pure. Missing arrays become NaN, -1 or null; wrong shapes are an
// error.
import { type Container, ContainerError } from "./container.ts";
import { decodeArrays, decodeHeader, furtherArrays, isObject, numberOrNull, typedArray } from "./decodeFields.ts";
import {
  type Json,
  MANIFEST_HEADER,
  MANIFEST_PROBES_HEADER,
  type ManifestHeader,
  type ManifestProbesHeader,
  NEIGHBOURS_PAIRS_HEADER,
  type NeighboursPairsHeader,
  REGIONS,
  SEGMENT_DIAGNOSTIC,
  SEGMENT_SENTENCES,
  SERIES_FIELDS,
  type SeriesFields,
  SUMMARY_FIELDS,
  SUMMARY_SHORTCUT_HEADER,
  SUMMARY_SHORTCUT_MARKERS_HEADER,
  SUMMARY_SHORTCUT_READINGS_HEADER,
  SUMMARY_SHORTCUT_TESTS_HEADER,
  type SummaryFields,
  type SummaryShortcutHeader,
  type SummaryShortcutMarkersHeader,
  type SummaryShortcutReadingsHeader,
  type SummaryShortcutTestsHeader,
  SWAPS_PAIRS_HEADER,
  type SwapsPairsHeader,
  TARGET_SENTENCES,
} from "./schema.ts";
import type {
  Alarm,
  Manifest,
  Marker,
  Measure,
  Neighbour,
  Neighbours,
  ProbeInfo,
  Reading,
  RunInfo,
  RunManifest,
  Segments,
  Series,
  ShortcutSettings,
  ShortcutTests,
  Summary,
  SwapPair,
  Swaps,
  TestStatus,
  Texts,
} from "./types.ts";
import { MEASURES } from "./types.ts";

/** The log may hold anything: what is missing or of the wrong kind becomes null or a name made up from the id. */
export function decodeManifest(json: unknown): Manifest {
  if (!isObject(json) || !Array.isArray(json.runs)) {
    throw new ContainerError('The manifest must hold a list named "runs".');
  }
  return { notices: strings(json.notices), runs: json.runs.filter(isObject).map(decodeRun) };
}

function decodeRun(json: Json): RunInfo {
  return {
    run: String(json.run),
    manifest: isObject(json.manifest) ? decodeRunManifest(json.manifest) : null,
    notices: strings(json.notices),
    steps_hint: numberOrNull(json.steps_hint),
  };
}

function decodeRunManifest(json: Json): RunManifest {
  const header = decodeHeader<ManifestHeader>(json, MANIFEST_HEADER);
  return {
    ...header,
    probes: header.probes.map(decodeProbe),
    flags: texts(header.flags, SEGMENT_SENTENCES),
    caveats: texts(header.caveats, TARGET_SENTENCES),
    shortcut: header.shortcut === null ? null : decodeSettings(header.shortcut),
  };
}

function decodeSettings(json: Json): ShortcutSettings {
  return {
    relianceThreshold: number(json.reliance_threshold),
    relianceErrors: number(json.reliance_errors),
    threshold: number(json.threshold),
    patience: numberOrNull(json.patience) ?? 1,
    swap: json.swap === true,
    leastProbes: numberOrNull(json.least_probes) ?? 0,
    backgroundThreshold: number(json.background_threshold),
    occlusionThreshold: number(json.occlusion_threshold),
    swapped: numberOrNull(json.n_swapped) ?? 0,
    donors: numberOrNull(json.n_donors) ?? 0,
    unmeasured: strings(json.unmeasured),
  };
}

/** Sentences by bit, the log's own before the general ones; what is no sentence or no bit is left out. */
function texts(json: Json | null, general: Texts): Texts {
  const own = Object.entries(json ?? {}).flatMap(([bit, text]) =>
    typeof text === "string" && Number(bit) > 0 ? [[Number(bit), text] as const] : [],
  );
  return new Map([...general, ...own]);
}

function decodeProbe(json: Json): ProbeInfo {
  const { id, name, label, width, height, chance } = decodeHeader<ManifestProbesHeader>(json, MANIFEST_PROBES_HEADER);
  const known = id ?? String(json.id);
  return { id: known, name: name || known, label, width: width ?? 1, height: height ?? 1, chance };
}

function strings(json: unknown): string[] {
  return Array.isArray(json) ? json.map(String) : [];
}

function number(json: unknown): number {
  return numberOrNull(json) ?? NaN;
}

export function decodeSummary(container: Container): Summary {
  const steps = integers(container, "steps");
  const classIds = integers(container, "class_ids");
  const rest = { arrays: new Map([...container.arrays].filter(([name]) => name !== "class_ids")), meta: container.meta };
  const probes = container.arrays.get("probe_predicted")?.shape[1] ?? 0;
  const sizes = { steps: steps.length, classes: classIds.length, regions: REGIONS.length, probes };
  const fields = decodeArrays<SummaryFields>(rest, SUMMARY_FIELDS, sizes);
  const named = new Map(SUMMARY_FIELDS.map(({ key, name }) => [name, fields[key]]));
  const column = (name: string): Float32Array | null => named.get(name) as Float32Array | null;
  const overall = (name: string): Float32Array => column(name) ?? filled(steps.length);
  const perClass = (name: string): Float32Array => column(name) ?? filled(steps.length * classIds.length);
  const each = <T>(make: (measure: Measure) => T): Record<Measure, T> =>
    Object.fromEntries(MEASURES.map((measure) => [measure, make(measure)])) as Record<Measure, T>;
  const present = (ending: (measure: Measure) => string): Partial<Record<Measure, Float32Array>> =>
    Object.fromEntries(
      MEASURES.map((measure) => [measure, column(ending(measure)) ?? null]).filter(([, found]) => found !== null),
    );
  return {
    steps,
    classIds,
    wallTimes: Array.from(container.arrays.get("wall_times")?.data ?? []),
    overall: each((measure) => overall(measure)),
    perClass: each((measure) => perClass(`class_${measure}`)),
    chance: overall("object_chance"),
    classChance: perClass("class_chance"),
    errors: present((measure) => `${measure}_stderr`),
    classErrors: present((measure) => `class_${measure}_stderr`),
    passes: overall("passes"),
    epochShare: overall("epoch_share"),
    shortcut: decodeShortcut(container, fields, steps.length),
    probes: {
      predicted: fields.probePredicted,
      value: fields.probeValue,
      share: fields.probeShare,
      weight: fields.probeWeight,
      r2: fields.probeR2,
    },
    notices: notices(container),
  };
}

function decodeShortcut(container: Container, fields: SummaryFields, s: number): ShortcutTests {
  const said = isObject(container.meta.shortcut) ? container.meta.shortcut : {};
  const alarms = Array.isArray(said.alarms) ? said.alarms.filter(isObject) : [];
  return {
    guess: fields.swapChance ?? filled(s),
    counted: fields.shortcutCounted ?? filled(s),
    trainAccuracy: fields.trainAccuracy ?? filled(s),
    accuracyNeeded: fields.accuracyNeeded ?? filled(s),
    sameFlip: fields.sameFlip ?? filled(s),
    frame: fields.pFrame ?? filled(s),
    drops: fields.occlusionDrop ?? filled(s * REGIONS.length),
    dropErrors: fields.occlusionDropStderr ?? filled(s * REGIONS.length),
    alarms: alarms.map(decodeAlarm),
    unmeasured: strings(said.unmeasured),
    statuses: Array.isArray(said.statuses) ? said.statuses.map((status) => (typeof status === "string" ? status : null)) : [],
    tests: Array.isArray(said.tests) ? said.tests.map((tests) => (Array.isArray(tests) ? tests.filter(isObject).map(decodeTest) : [])) : [],
    noGradients: typeof said.cross_check === "string" ? said.cross_check : null,
  };
}

function decodeTest(json: Json): TestStatus {
  const { test, title, status, reason, remedy } = decodeHeader<SummaryShortcutTestsHeader>(json, SUMMARY_SHORTCUT_TESTS_HEADER);
  const name = test ?? "test";
  return { test: name, title: title ?? name, status: status ?? "not tested", reason: reason ?? "", remedy: remedy ?? "" };
}

function decodeAlarm(json: Json): Alarm {
  const step = numberOrNull(json.step) ?? 0;
  const { began, words, readings, markers } = decodeHeader<SummaryShortcutHeader>(json, SUMMARY_SHORTCUT_HEADER);
  return { step, began: began ?? step, words: words ?? "", readings: readings.map(decodeReading), markers: markers.map(decodeMarker) };
}

function decodeMarker(json: Json): Marker {
  const { probe, name, label, strength, box } = decodeHeader<SummaryShortcutMarkersHeader>(json, SUMMARY_SHORTCUT_MARKERS_HEADER);
  return { probe: probe ?? "", name, label, strength: strength ?? NaN, box: box ?? [] };
}

function decodeReading(json: Json): Reading {
  const header = decodeHeader<SummaryShortcutReadingsHeader>(json, SUMMARY_SHORTCUT_READINGS_HEADER);
  return {
    test: String(json.test),
    subject: header.subject ?? "",
    value: header.value ?? NaN,
    stderr: header.stderr ?? NaN,
    threshold: header.threshold ?? NaN,
  };
}

/** Pairs without their picture are left out. */
export function decodeSwaps(container: Container): Swaps {
  const listed = Array.isArray(container.meta.pairs) ? container.meta.pairs : [];
  const pairs = listed.flatMap((json, index): SwapPair[] => {
    const picture = container.arrays.get(`picture_${index}`)?.data;
    if (!isObject(json) || !(picture instanceof Uint8Array)) return [];
    const pair = decodeHeader<SwapsPairsHeader>(json, SWAPS_PAIRS_HEADER);
    return [
      {
        probe: pair.probe ?? "",
        donor: pair.donor ?? "",
        name: pair.name,
        label: pair.label,
        before: pair.before,
        beforeValue: pair.before_value ?? NaN,
        after: pair.after,
        afterValue: pair.after_value ?? NaN,
        picture: `data:image/png;base64,${base64(picture)}`,
      },
    ];
  });
  const steps = Array.isArray(container.meta.steps) ? container.meta.steps.filter((step) => typeof step === "number") : [];
  return { step: numberOrNull(container.meta.step), steps, pairs };
}

/** Images whose picture is lost are left out. */
export function decodeNeighbours(container: Container): Neighbours {
  const byProbe = new Map<string, Neighbour[]>();
  for (const json of Array.isArray(container.meta.pairs) ? container.meta.pairs : []) {
    const pair = decodeHeader<NeighboursPairsHeader>(json, NEIGHBOURS_PAIRS_HEADER);
    const bytes = container.arrays.get(`picture_${pair.picture}`)?.data;
    if (pair.probe === null || !(bytes instanceof Uint8Array)) continue;
    // JPEG files begin with this byte, PNG files never.
    const kind = bytes[0] === 0xff ? "jpeg" : "png";
    const found = { label: pair.label, similarity: pair.similarity ?? NaN, picture: `data:image/${kind};base64,${base64(bytes)}` };
    byProbe.set(pair.probe, [...(byProbe.get(pair.probe) ?? []), found]);
  }
  const steps = Array.isArray(container.meta.steps) ? container.meta.steps.filter((step) => typeof step === "number") : [];
  return { step: numberOrNull(container.meta.step), steps, byProbe };
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const SERIES_NAMES: ReadonlySet<string> = new Set(["steps", "wall_times", ...SERIES_FIELDS.map(({ name }) => name)]);

export function decodeSeries(container: Container): Series {
  const steps = integers(container, "steps");
  const [, slots = 0, segments = 0] = container.arrays.get("coef")?.shape ?? [];
  const sizes = { steps: steps.length, targets: slots, segments };
  const fields = decodeArrays<SeriesFields>(container, SERIES_FIELDS, sizes);
  const coef = judged(fields.coef, fields.flags);
  const coefLogit = fields.coefLogit === null ? null : judged(fields.coefLogit, fields.flags);
  return {
    ...fields,
    coef,
    coefLogit,
    steps,
    slots,
    segments,
    scale: largest(coef),
    logOddsScale: coefLogit === null ? 1 : largest(coefLogit),
    further: furtherArrays(container, SERIES_NAMES, [steps.length, slots]),
    notices: notices(container),
  };
}

/** The weights, those that say nothing left out, so that they are not taken for zeros. */
function judged(coef: Float32Array, flags: Uint8Array | null): Float32Array {
  if (flags === null) return coef;
  return coef.map((weight, index) => ((flags[index] & SEGMENT_DIAGNOSTIC.blind) !== 0 ? NaN : weight));
}

export function decodeSegments(container: Container): Segments {
  const tensor = container.arrays.get("labels");
  if (tensor === undefined || tensor.shape.length !== 2 || !(tensor.data instanceof Uint16Array)) {
    throw new ContainerError('Segments must hold uint16 "labels" of shape (height, width).');
  }
  const [height, width] = tensor.shape as readonly [number, number];
  const fraction = container.arrays.get("object_fraction");
  return {
    height,
    width,
    labels: tensor.data,
    objectMask: typedArray(container, "object_mask", [height, width], "uint8"),
    estimatedMask: typedArray(container, "estimated_mask", [height, width], "uint8"),
    objectFraction: fraction?.data instanceof Float32Array ? fraction.data : null,
  };
}

/** Largest finite magnitude; 1 where there is none, so that it can divide. */
export function largest(values: Float32Array): number {
  let found = 0;
  for (let index = 0; index < values.length; index++) {
    const magnitude = Math.abs(values[index]);
    if (magnitude > found && magnitude !== Infinity) found = magnitude;
  }
  return found > 0 ? found : 1;
}

function notices(container: Container): readonly string[] {
  return strings(container.meta.notices);
}

function integers(container: Container, name: string): number[] {
  return Array.from(container.arrays.get(name)?.data ?? []);
}

function filled(length: number): Float32Array {
  return new Float32Array(length).fill(NaN);
}
