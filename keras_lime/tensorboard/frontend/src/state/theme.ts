// Dark or light, as TensorBoard is. The style sheet follows <html data-theme>.
import { signal } from "@preact/signals";

export const dark = signal(false);

/** TensorBoard's body, or null where the page stands alone or may not look. */
function hostBody(): HTMLElement | null {
  try {
    return window.parent === window ? null : window.parent.document.body;
  } catch {
    return null;
  }
}

export function followTheme(): void {
  const body = hostBody();
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const update = (): void => {
    dark.value = body === null ? system.matches : body.classList.contains("dark-mode");
    document.documentElement.dataset.theme = dark.value ? "dark" : "light";
  };
  if (body === null) system.addEventListener("change", update);
  else new MutationObserver(update).observe(body, { attributes: true, attributeFilter: ["class"] });
  update();
}
