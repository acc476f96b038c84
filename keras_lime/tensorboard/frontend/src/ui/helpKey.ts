// "?" lists the keys, "/" goes to the search.
import { ownsKeys } from "../state/keys.ts";
import { showsKeys } from "../state/place.ts";

export function followHelpKey(): void {
  window.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") showsKeys.value = false;
    if (ownsKeys(event.target)) return;
    if (event.key === "?") showsKeys.value = !showsKeys.value;
    const search = event.key === "/" ? document.querySelector<HTMLInputElement>("input[type=search]") : null;
    if (search !== null) {
      search.focus();
      event.preventDefault();
    }
  });
}
