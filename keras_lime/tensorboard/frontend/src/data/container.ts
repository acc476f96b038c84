// Bytes of one HTTP answer → named arrays. Pure: no DOM, no fetch.
//
// "KLB1", uint32 header length H (little-endian), H bytes of JSON, then the arrays. Header:
// {"arrays": [{"name", "dtype", "shape", "offset"}], ...meta}; an array begins at 8 + H + offset, a multiple of 8.

const CONSTRUCTORS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
} as const;

type DType = keyof typeof CONSTRUCTORS;
export type Numbers = Float32Array | Float64Array | Int32Array | Uint16Array | Uint8Array;

export interface Tensor {
  readonly data: Numbers;
  readonly shape: readonly number[];
}

export interface Container {
  readonly arrays: ReadonlyMap<string, Tensor>;
  readonly meta: Readonly<Record<string, unknown>>;
}

interface Entry {
  name: string;
  dtype: string;
  shape: number[];
  offset: number;
}

/** An answer that is not what the plugin sends; the message says what was wrong with it. */
export class ContainerError extends Error {
  override readonly name = "ContainerError";
}

export function decodeContainer(bytes: ArrayBuffer): Container {
  if (bytes.byteLength < 8 || ascii(bytes, 0, 4) !== "KLB1") {
    throw new ContainerError(`The answer must begin with "KLB1". Received: ${bytes.byteLength} bytes.`);
  }
  const headerLength = new DataView(bytes).getUint32(4, true);
  const start = 8 + headerLength;
  if (start > bytes.byteLength) {
    throw new ContainerError(`The header must fit the answer. Received: ${headerLength} of ${bytes.byteLength} bytes.`);
  }
  const header = parseHeader(new Uint8Array(bytes, 8, headerLength));
  const { arrays: entries, ...meta } = header;
  const arrays = new Map<string, Tensor>();
  for (const entry of entries as Entry[]) {
    const tensor = decodeArray(bytes, start, entry);
    if (tensor !== null) arrays.set(entry.name, tensor);
  }
  return { arrays, meta };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new ContainerError("The header must be JSON.");
  }
  if (typeof header !== "object" || header === null || !Array.isArray((header as { arrays?: unknown }).arrays)) {
    throw new ContainerError('The header must hold a list named "arrays".');
  }
  return header as Record<string, unknown>;
}

/** One array; null for a dtype this page does not know, which a newer plugin may send. */
function decodeArray(bytes: ArrayBuffer, start: number, entry: Entry): Tensor | null {
  const make = CONSTRUCTORS[entry.dtype as DType];
  if (make === undefined) return null;
  const length = entry.shape.reduce((product, size) => product * size, 1);
  const from = start + entry.offset;
  if (from % make.BYTES_PER_ELEMENT !== 0 || from + length * make.BYTES_PER_ELEMENT > bytes.byteLength) {
    throw new ContainerError(
      `Array "${entry.name}" must lie aligned within the answer. Received: ${length} × ${entry.dtype} at ${from}.`,
    );
  }
  return { data: new make(bytes, from, length), shape: entry.shape };
}

function ascii(bytes: ArrayBuffer, from: number, length: number): string {
  return String.fromCharCode(...new Uint8Array(bytes, from, length));
}
