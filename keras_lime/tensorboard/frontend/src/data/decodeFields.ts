// Container and header → the fields of the schema. Pure. The tables in schema.ts say what is read, and how.
import { type Container, ContainerError, type Tensor } from "./container.ts";
import type { ArrayField, HeaderType, Json } from "./schema.ts";

const CONSTRUCTORS = { float32: Float32Array, int32: Int32Array, uint16: Uint16Array, uint8: Uint8Array } as const;

type Numbers = Float32Array | Int32Array | Uint16Array | Uint8Array;

/**
 * All arrays of a table. One that is not there is null where it may be left out, else filled with what stands for a
 * missing value. `sizes` gives the length of every axis; an array of another shape is an error.
 */
export function decodeArrays<Fields>(
  container: Container,
  table: readonly ArrayField<keyof Fields & string>[],
  sizes: Readonly<Record<string, number>>,
): Fields {
  const decoded = table.map(({ key, name, dtype, axes, missing, optional }): [string, Numbers | null] => {
    const shape = [sizes.steps, ...axes.map((axis) => sizes[axis])];
    const found = typedArray(container, name, shape, dtype);
    if (found !== null || optional) return [key, found];
    const length = shape.reduce((product, size) => product * size, 1);
    return [key, new CONSTRUCTORS[dtype](length).fill(missing)];
  });
  return Object.fromEntries(decoded) as Fields;
}

/** Arrays over steps and targets that no table lists: a newer plugin serves them. */
export function furtherArrays(
  container: Container,
  known: ReadonlySet<string>,
  shape: readonly number[],
): ReadonlyMap<string, Float32Array> {
  const further = [...container.arrays].filter(
    ([name, tensor]) => !known.has(name) && tensor.data instanceof Float32Array && hasShape(tensor, shape),
  );
  return new Map(further.map(([name, tensor]) => [name, tensor.data as Float32Array]));
}

export function typedArray<D extends keyof typeof CONSTRUCTORS>(
  container: Container,
  name: string,
  shape: readonly number[],
  dtype: D,
): InstanceType<(typeof CONSTRUCTORS)[D]> | null {
  const tensor = container.arrays.get(name);
  if (tensor === undefined) return null;
  if (!hasShape(tensor, shape)) {
    throw new ContainerError(`"${name}" must have shape (${shape.join(", ")}). Received: (${tensor.shape.join(", ")}).`);
  }
  const kind = CONSTRUCTORS[dtype];
  return (tensor.data instanceof kind ? tensor.data : kind.from(tensor.data)) as InstanceType<(typeof CONSTRUCTORS)[D]>;
}

function hasShape(tensor: Tensor, shape: readonly number[]): boolean {
  return tensor.shape.length === shape.length && tensor.shape.every((size, axis) => size === shape[axis]);
}

/** The values of a header; what is missing or of another kind is null, false or an empty list. */
export function decodeHeader<Header>(json: unknown, table: Readonly<Record<keyof Header & string, HeaderType>>): Header {
  const header = isObject(json) ? json : {};
  const entries = Object.entries<HeaderType>(table).map(([name, type]) => [name, READERS[type](header[name])]);
  return Object.fromEntries(entries) as Header;
}

const READERS: Readonly<Record<HeaderType, (json: unknown) => unknown>> = {
  text: (json) => (typeof json === "string" ? json : null),
  number: numberOrNull,
  flag: (json) => json === true,
  texts: (json) => (Array.isArray(json) ? json.map(String) : null),
  numbers: (json) => (Array.isArray(json) ? json.filter(Number.isFinite) : null),
  object: (json) => (isObject(json) ? json : null),
  objects: (json) => (Array.isArray(json) ? json.filter(isObject) : []),
};

export function isObject(json: unknown): json is Json {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

export function numberOrNull(json: unknown): number | null {
  return typeof json === "number" && Number.isFinite(json) ? json : null;
}
