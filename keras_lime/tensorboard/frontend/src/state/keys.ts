// Which elements keep the keyboard to themselves.

/** Form controls, tabs and what else uses the page's keys itself. */
export function ownsKeys(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, select, textarea, summary, [role=tab]") !== null;
}
