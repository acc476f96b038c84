// Pictures that are logged at few epochs: those of the newest epoch that has them, at most the one looked at.
import { useEffect } from "preact/hooks";
import { growthOf, retries, sessionOf, URGENCY } from "../data/store.ts";
import type { Resource } from "../data/resource.ts";
import { rowAt } from "../model/snapshot.ts";

export interface Dated<T> {
  /** null: on the way, or there are none. */
  readonly value: T | null;
  readonly problem: string | null;
  /** Whether it is known that no epoch up to this one has any. */
  readonly none: boolean;
}

/** One request for each epoch that has such pictures, however often the slider moves. */
export function useDated<T extends { readonly steps: readonly number[] }>(
  of: (run: string, step: number | null) => Resource<T>,
  run: string,
  step: number | null,
): Dated<T> {
  const newest = of(run, null);
  const growth = growthOf(run);
  const retry = retries.value;
  useEffect(() => void newest.ensure(growth, URGENCY.visible), [newest, growth, retry]);
  const known = newest.value.value;
  const wanted = known?.steps[rowAt(known.steps, step)] ?? null;
  const own = of(run, wanted);
  const session = sessionOf(run);
  useEffect(() => {
    if (wanted !== null) void own.ensure(session, URGENCY.visible);
  }, [own, wanted, session, retry]);
  return {
    value: wanted === null ? null : own.value.value,
    problem: newest.error.value ?? own.error.value,
    none: known !== null && wanted === null,
  };
}
