import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestQueue } from "../src/data/requestQueue.ts";
import { Latest } from "../src/data/latest.ts";
import { Resource } from "../src/data/resource.ts";

/** An answer that comes when the test says so. */
function held<T>(): { answer: Promise<T>; give: (value: T) => void; fail: (reason: Error) => void } {
  let give!: (value: T) => void;
  let fail!: (reason: Error) => void;
  const answer = new Promise<T>((resolve, reject) => ([give, fail] = [resolve, reject]));
  return { answer, give, fail };
}

test("only the newest question's answer counts", () => {
  const latest = new Latest();
  const first = latest.begin();
  assert.ok(first());
  const second = latest.begin();
  assert.deepEqual([first(), second()], [false, true]);
});

test("a late answer to an older question is dropped", async () => {
  const answers = [held<string>(), held<string>()];
  let asked = 0;
  const resource = new Resource("key", new RequestQueue(2), () => answers[asked++].answer);
  const older = resource.ensure("1", 0);
  const newer = resource.ensure("2", 0);
  answers[1].give("new");
  await newer;
  answers[0].give("old");
  await older;
  assert.equal(resource.value.value, "new");
});

test("a version is asked for once; a failure keeps the last answer and says why", async () => {
  const answers = [held<string>(), held<string>(), held<string>()];
  let asked = 0;
  const resource = new Resource("key", new RequestQueue(1), () => answers[asked++].answer);
  answers[0].give("first");
  await Promise.all([resource.ensure("1", 0), resource.ensure("1", 0)]);
  assert.equal(asked, 1);
  answers[1].fail(new Error("no such run"));
  await resource.ensure("2", 0);
  assert.deepEqual([resource.value.value, resource.error.value], ["first", "no such run"]);
  resource.retry();
  answers[2].give("third");
  await resource.ensure("2", 0);
  assert.deepEqual([resource.value.value, resource.error.value], ["third", null]);
});

test("a queue runs few at a time, the urgent first, and what hurries overtakes", async () => {
  const queue = new RequestQueue(1);
  const order: string[] = [];
  const gate = held<void>();
  const task = (name: string) => async () => void order.push(name);
  const all = [
    queue.run("gate", 0, () => gate.answer),
    queue.run("later", 0, task("later")),
    queue.run("seen 1", 1, task("seen 1")),
    queue.run("seen 2", 1, task("seen 2")),
    queue.run("hurried", 0, task("hurried")),
  ];
  queue.hurry("hurried", 2);
  gate.give();
  await Promise.all(all);
  assert.deepEqual(order, ["hurried", "seen 1", "seen 2", "later"]);
});

test("a failing task frees its place", async () => {
  const queue = new RequestQueue(1);
  await assert.rejects(queue.run("a", 0, () => Promise.reject(new Error("lost"))), /lost/);
  assert.equal(await queue.run("b", 0, () => Promise.resolve(7)), 7);
});
