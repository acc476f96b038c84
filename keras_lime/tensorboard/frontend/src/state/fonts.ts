// TensorBoard's own Roboto, which it serves and declares in its window only; without it the system's font stands in.

export function shareFonts(): void {
  const rules: string[] = [];
  try {
    if (window.parent === window) return;
    const { document: host } = window.parent;
    for (const sheet of host.styleSheets) {
      for (const rule of sheet.cssRules) {
        if (rule.constructor.name === "CSSFontFaceRule" && rule.cssText.includes("Roboto")) {
          rules.push(absolute(rule.cssText, sheet.href ?? host.baseURI));
        }
      }
    }
  } catch {
    // A foreign window or sheet: nothing to share.
  }
  const style = document.createElement("style");
  style.textContent = rules.join("");
  document.head.append(style);
}

function absolute(css: string, base: string): string {
  return css.replace(/url\("([^"]+)"\)/g, (_, address: string) => `url("${new URL(address, base).href}")`);
}
