// Container → summary, series, segments. Pure. Missing arrays become NaN, -1 or null; wrong shapes are an error.
import { type Container, ContainerError, type Tensor } from "./container.ts";
import type {
  Alarm,
  Manifest,
  Measure,
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
  Texts,
} from "./types.ts";
import { FLAG, MEASURES, PLACES } from "./types.ts";

type Json = Readonly<Record<string, unknown>>;

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
  const probes = Array.isArray(json.probes) ? json.probes.filter(isObject) : [];
  return {
    probes: probes.map(decodeProbe),
    class_names: Array.isArray(json.class_names) ? json.class_names.map(String) : null,
    output: textOrNull(json.output),
    n_outputs: numberOrNull(json.n_outputs),
    created: textOrNull(json.created),
    flags: texts(json.flags),
    caveats: texts(json.caveats),
    shortcut: isObject(json.shortcut) ? decodeSettings(json.shortcut) : null,
  };
}

function decodeSettings(json: Json): ShortcutSettings {
  return {
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

/** Sentences by bit; what is no sentence or no bit is left out. */
function texts(json: unknown): Texts {
  const entries = isObject(json) ? Object.entries(json) : [];
  return new Map(
    entries.flatMap(([bit, text]) => (typeof text === "string" && Number(bit) > 0 ? [[Number(bit), text] as const] : [])),
  );
}

function decodeProbe(json: Json): ProbeInfo {
  const id = String(json.id);
  return {
    id,
    name: typeof json.name === "string" && json.name !== "" ? json.name : id,
    label: numberOrNull(json.label),
    width: numberOrNull(json.width) ?? 1,
    height: numberOrNull(json.height) ?? 1,
    chance: numberOrNull(json.chance),
  };
}

function isObject(json: unknown): json is Json {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function strings(json: unknown): string[] {
  return Array.isArray(json) ? json.map(String) : [];
}

function textOrNull(json: unknown): string | null {
  return typeof json === "string" ? json : null;
}

function number(json: unknown): number {
  return numberOrNull(json) ?? NaN;
}

function numberOrNull(json: unknown): number | null {
  return typeof json === "number" && Number.isFinite(json) ? json : null;
}

export function decodeSummary(container: Container): Summary {
  const steps = integers(container, "steps");
  const classIds = integers(container, "class_ids");
  const each = <T>(make: (measure: Measure) => T): Record<Measure, T> =>
    Object.fromEntries(MEASURES.map((measure) => [measure, make(measure)])) as Record<Measure, T>;
  const overall = (name: string): Float32Array => floats(container, name, [steps.length]) ?? filled(steps.length);
  const perClass = (name: string): Float32Array =>
    floats(container, name, [steps.length, classIds.length]) ?? filled(steps.length * classIds.length);
  return {
    steps,
    classIds,
    wallTimes: Array.from(container.arrays.get("wall_times")?.data ?? []),
    overall: each((measure) => overall(measure)),
    perClass: each((measure) => perClass(`class_${measure}`)),
    chance: overall("object_chance"),
    classChance: perClass("class_chance"),
    errors: present((measure) => floats(container, `${measure}_stderr`, [steps.length])),
    classErrors: present((measure) => floats(container, `class_${measure}_stderr`, [steps.length, classIds.length])),
    shortcut: decodeShortcut(container, steps.length),
  };
}

function present(find: (measure: Measure) => Float32Array | null): Partial<Record<Measure, Float32Array>> {
  return Object.fromEntries(MEASURES.map((measure) => [measure, find(measure)]).filter(([, found]) => found !== null));
}

function decodeShortcut(container: Container, s: number): ShortcutTests {
  const said = isObject(container.meta.shortcut) ? container.meta.shortcut : {};
  const numbers = (name: string, shape: readonly number[]): Float32Array =>
    floats(container, name, shape) ?? filled(count(shape));
  return {
    guess: numbers("swap_chance", [s]),
    counted: numbers("shortcut_counted", [s]),
    trainAccuracy: numbers("train_accuracy", [s]),
    accuracyNeeded: numbers("accuracy_needed", [s]),
    frame: numbers("p_frame", [s]),
    drops: numbers("occlusion_drop", [s, PLACES.length]),
    dropErrors: numbers("occlusion_drop_stderr", [s, PLACES.length]),
    alarms: objects(said.alarms).map(decodeAlarm),
    unmeasured: strings(said.unmeasured),
    noGradients: textOrNull(said.cross_check),
  };
}

function decodeAlarm(json: Json): Alarm {
  const step = numberOrNull(json.step) ?? 0;
  return {
    step,
    began: numberOrNull(json.began) ?? step,
    words: textOrNull(json.words) ?? "",
    readings: objects(json.readings).map(decodeReading),
  };
}

function decodeReading(json: Json): Reading {
  return {
    test: String(json.test),
    subject: textOrNull(json.subject) ?? "",
    value: number(json.value),
    stderr: number(json.stderr),
    threshold: number(json.threshold),
  };
}

/** Pairs without their picture are left out. */
export function decodeSwaps(container: Container): Swaps {
  const pairs = objects(container.meta.pairs).flatMap((json, index): SwapPair[] => {
    const picture = container.arrays.get(`picture_${index}`)?.data;
    if (!(picture instanceof Uint8Array)) return [];
    return [
      {
        probe: String(json.probe),
        donor: String(json.donor),
        name: textOrNull(json.name),
        label: numberOrNull(json.label),
        before: numberOrNull(json.before),
        beforeValue: number(json.before_value),
        after: numberOrNull(json.after),
        afterValue: number(json.after_value),
        picture: `data:image/png;base64,${base64(picture)}`,
      },
    ];
  });
  const steps = Array.isArray(container.meta.steps) ? container.meta.steps.filter((step) => typeof step === "number") : [];
  return { step: numberOrNull(container.meta.step), steps, pairs };
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function objects(json: unknown): Json[] {
  return Array.isArray(json) ? json.filter(isObject) : [];
}

export function decodeSeries(container: Container): Series {
  const steps = integers(container, "steps");
  const coefficients = container.arrays.get("coef");
  const [, slots = 0, segments = 0] = coefficients?.shape ?? [];
  const perTarget = [steps.length, slots];
  const flags = bytes(container, "flags", [...perTarget, segments]);
  const coef = judged(floats(container, "coef", [...perTarget, segments]) ?? new Float32Array(0), flags);
  return {
    steps,
    slots,
    segments,
    coef,
    targets: int32(container, "targets", perTarget),
    stderr: floats(container, "stderr", [...perTarget, segments]),
    r2: floats(container, "r2", perTarget) ?? filled(steps.length * slots),
    prediction: floats(container, "prediction", perTarget) ?? filled(steps.length * slots),
    objectShare: floats(container, "object_share", perTarget),
    predicted: int32(container, "predicted", [steps.length]),
    predictedValue: floats(container, "predicted_value", [steps.length]) ?? filled(steps.length),
    flags,
    caveats: bytes(container, "caveats", perTarget),
    agreement: floats(container, "agreement", perTarget),
    gradientAgreement: floats(container, "gradient_agreement", perTarget),
    group: int32(container, "group", [steps.length]),
    scale: largest(coef),
    notices: notices(container),
  };
}

/** The weights, those that say nothing left out, so that they are not taken for zeros. */
function judged(coef: Float32Array, flags: Uint8Array | null): Float32Array {
  if (flags === null) return coef;
  return coef.map((weight, index) => ((flags[index] & FLAG.blind) !== 0 ? NaN : weight));
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
    objectMask: bytes(container, "object_mask", [height, width]),
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

function int32(container: Container, name: string, shape: readonly number[]): Int32Array {
  return typed(container, name, shape, Int32Array) ?? new Int32Array(count(shape)).fill(-1);
}

function floats(container: Container, name: string, shape: readonly number[]): Float32Array | null {
  return typed(container, name, shape, Float32Array);
}

function bytes(container: Container, name: string, shape: readonly number[]): Uint8Array | null {
  return typed(container, name, shape, Uint8Array);
}

interface Kind<A> {
  new (length: number): A;
  from(values: ArrayLike<number>): A;
}

function typed<A>(container: Container, name: string, shape: readonly number[], kind: Kind<A>): A | null {
  const tensor = container.arrays.get(name);
  if (tensor === undefined) return null;
  expectShape(name, tensor, shape);
  return tensor.data instanceof kind ? tensor.data : kind.from(tensor.data);
}

function expectShape(name: string, tensor: Tensor, shape: readonly number[]): void {
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
    throw new ContainerError(`"${name}" must have shape (${shape.join(", ")}). Received: (${tensor.shape.join(", ")}).`);
  }
}

function filled(length: number): Float32Array {
  return new Float32Array(length).fill(NaN);
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
