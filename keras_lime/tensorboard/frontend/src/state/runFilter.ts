// The filter of run names: a regular expression, as in TensorBoard.
import { computed, type ReadonlySignal, signal } from "@preact/signals";

export const runPattern = signal("");

interface RunFilter {
  readonly matches: (run: string) => boolean;
  /** Why the expression is none. */
  readonly problem: string | null;
}

export const runFilter: ReadonlySignal<RunFilter> = computed(() => {
  const pattern = runPattern.value;
  if (pattern === "") return { matches: () => true, problem: null };
  try {
    const expression = new RegExp(pattern, "i");
    return { matches: (run: string) => expression.test(run), problem: null };
  } catch {
    return { matches: () => true, problem: "This is no regular expression." };
  }
});
