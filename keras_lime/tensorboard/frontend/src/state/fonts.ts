// TensorBoard's own Roboto, which it serves and declares in its window only; without it the system's font stands in.

export async function shareFonts(): Promise<void> {
  try {
    if (window.parent === window) return;
    const { document: host } = window.parent;
    const faces = await host.fonts.ready;
    // Behind a path prefix TensorBoard cannot find its own fonts; asking for them again would not help.
    if (![...faces].some((face) => face.family.includes("Roboto") && face.status === "loaded")) return;
    const style = document.createElement("style");
    style.textContent = [...host.styleSheets].flatMap((labelled) => fontRules(labelled, labelled.href ?? host.baseURI)).join("");
    document.head.append(style);
  } catch {
    // A foreign window or labelled: nothing to share.
  }
}

function fontRules(labelled: CSSStyleSheet, base: string): string[] {
  return [...labelled.cssRules]
    .map((rule) => rule.cssText)
    .filter((css) => css.startsWith("@font-face") && css.includes("Roboto"))
    .map((css) => css.replace(/url\("([^"]+)"\)/g, (_, address: string) => `url("${new URL(address, base).href}")`));
}
