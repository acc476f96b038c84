// Builders for tests: a container as the server packs it, a series, a view of a probe.
import { decodeContainer } from "../src/data/container.ts";
import { decodeSummary } from "../src/data/decode.ts";
import type { Explained, Snapshot } from "../src/model/snapshot.ts";
import type { ProbeInfo, RunManifest, Series, Summary } from "../src/data/types.ts";

type Array_ = Float32Array | Float64Array | Int32Array | Uint16Array | Uint8Array;

export function pack(arrays: Record<string, [Array_, number[]]>, meta: Record<string, unknown> = {}): ArrayBuffer {
  let offset = 0;
  const entries = Object.entries(arrays).map(([name, [data, shape]]) => {
    const entry = { name, dtype: data.constructor.name.replace("Array", "").toLowerCase(), shape, offset };
    offset += Math.ceil(data.byteLength / 8) * 8;
    return entry;
  });
  const json = JSON.stringify({ arrays: entries, ...meta });
  const header = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const bytes = new Uint8Array(8 + header.length + offset);
  bytes.set(new TextEncoder().encode("KLB1"));
  new DataView(bytes.buffer).setUint32(4, header.length, true);
  bytes.set(header, 8);
  Object.values(arrays).forEach(([data], index) => {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8 + header.length + entries[index].offset);
  });
  return bytes.buffer;
}

export const PROBE: ProbeInfo = { id: "a", name: "sign 1", label: 2, width: 4, height: 4, chance: 0.25 };

export const MANIFEST: RunManifest = {
  name: "lime",
  keras_lime: "0.1.0",
  settings: null,
  fits: null,
  probes: [PROBE],
  class_names: ["stop", "yield", "speed"],
  output: "softmax",
  n_outputs: 3,
  created: "2026-01-01T00:00:00+00:00",
  flags: new Map([
    [1, "The sign depends."],
    [2, "Cannot be judged: it looks the same."],
  ]),
  caveats: new Map([
    [1, "R² is below 0.2: a poor fit."],
    [16, "Some superpixels cannot be judged with this baseline."],
    [64, "The second baseline disagrees: it depends."],
  ]),
  shortcut: null,
};

/** Steps 0, 2, 5; two slots; three superpixels. Slot 0 explains class 2, slot 1 class 0, 1, nothing. */
export function makeSeries(change: Partial<Series> = {}): Series {
  const coef = Float32Array.from({ length: 18 }, (_, index) => (index + 1) / 100);
  return {
    steps: [0, 2, 5],
    slots: 2,
    segments: 3,
    targets: Int32Array.of(2, 0, 2, 1, 2, -1),
    coef,
    stderr: coef.map((weight) => weight / 4),
    r2: Float32Array.of(0.5, 0.6, 0.7, 0.8, 0.9, NaN),
    prediction: Float32Array.of(0.3, 0.7, 0.4, 0.6, 0.9, NaN),
    objectShare: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, NaN),
    predicted: Int32Array.of(0, 1, 2),
    predictedValue: Float32Array.of(0.7, 0.6, 0.9),
    flags: null,
    caveats: null,
    agreement: null,
    gradientAgreement: null,
    group: null,
    intercept: new Float32Array(6),
    localPrediction: new Float32Array(6),
    numSamples: null,
    further: new Map(),
    scale: 0.18,
    logOddsScale: 1,
    coefLogit: null,
    stderrLogit: null,
    r2Logit: null,
    notices: [],
    ...change,
  };
}

/** What `decodeSummary` makes of a run of these epochs, with nothing measured but what is given. */
export function makeSummary(steps: number[], classIds: number[] = [], change: Partial<Summary> = {}): Summary {
  const [s, k] = [steps.length, classIds.length];
  const bare = decodeSummary(
    decodeContainer(pack({ steps: [Int32Array.from(steps), [s]], class_ids: [Int32Array.from(classIds), [k]] })),
  );
  return { ...bare, ...change };
}

export function makeExplained(change: Partial<Explained> = {}): Explained {
  return {
    slot: 0,
    target: 2,
    weights: new Float32Array(3),
    logOdds: false,
    hasLogOdds: false,
    moves: 1,
    stderr: null,
    r2: 0.5,
    prediction: 0.5,
    objectShare: NaN,
    flags: null,
    caveats: 0,
    agreement: NaN,
    gradientAgreement: NaN,
    further: new Map(),
    ...change,
  };
}

export function makeSnapshot(change: Partial<Snapshot> = {}): Snapshot {
  return { step: 1, at: 0, predicted: 2, predictedValue: 0.9, wrong: false, targets: [2], group: null, shown: null, ...change };
}
