import assert from "node:assert/strict";
import { test } from "node:test";
import { ContainerError, decodeContainer } from "../src/data/container.ts";
import { pack } from "./make.ts";

test("arrays of every dtype come back with their shapes, the rest of the header as meta", () => {
  const bytes = pack(
    {
      a: [Float32Array.of(1.5, NaN, -0), [3]],
      b: [Float64Array.of(Math.PI), [1]],
      c: [Int32Array.of(-1, 2 ** 31 - 1, 0, 7, 8, 9), [2, 3]],
      d: [Uint16Array.of(65535), [1, 1]],
      e: [Uint8Array.of(1, 2, 3), [3]],
      scalar: [Float32Array.of(4), []],
      nothing: [new Float32Array(0), [0, 5]],
    },
    { notices: ["a step is missing"] },
  );
  const { arrays, meta } = decodeContainer(bytes);
  assert.deepEqual(Array.from(arrays.get("a")!.data), [1.5, NaN, -0]);
  assert.equal(arrays.get("b")!.data[0], Math.PI);
  assert.deepEqual(arrays.get("c"), { data: Int32Array.of(-1, 2 ** 31 - 1, 0, 7, 8, 9), shape: [2, 3] });
  assert.equal(arrays.get("d")!.data[0], 65535);
  assert.deepEqual(arrays.get("e")!.data, Uint8Array.of(1, 2, 3));
  assert.deepEqual(arrays.get("scalar"), { data: Float32Array.of(4), shape: [] });
  assert.deepEqual(arrays.get("nothing")!.shape, [0, 5]);
  assert.deepEqual(meta, { notices: ["a step is missing"] });
});

test("an array of a dtype from the future is left out", () => {
  const bytes = pack({ a: [Float32Array.of(1), [1]] });
  const text = new TextDecoder().decode(bytes).replace("float32", "float16");
  assert.equal(decodeContainer(new TextEncoder().encode(text).buffer).arrays.size, 0);
});

test("what is no container is refused with a sentence", () => {
  const whole = pack({ a: [Float32Array.of(1, 2, 3), [3]] });
  const damaged: [string, ArrayBuffer, RegExp][] = [
    ["empty", new ArrayBuffer(0), /must begin with "KLB1"/],
    ["a web page", new TextEncoder().encode("<!doctype html>").buffer as ArrayBuffer, /must begin with "KLB1"/],
    ["cut in the header", whole.slice(0, 20), /header must fit/],
    ["cut in the data", whole.slice(0, whole.byteLength - 8), /"a" must lie aligned within the answer/],
  ];
  for (const [what, bytes, message] of damaged) {
    assert.throws(() => decodeContainer(bytes), (error: Error) => error instanceof ContainerError && message.test(error.message), what);
  }
});
