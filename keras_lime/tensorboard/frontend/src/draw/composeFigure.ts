// Several pictures with captions on one canvas, for a PNG to show elsewhere.

export interface Panel {
  readonly canvas: CanvasImageSource & { readonly width: number; readonly height: number };
  readonly lines: readonly string[];
}

export interface Legend {
  /** Colours as CSS. */
  readonly supporting: string;
  readonly opposing: string;
  readonly words: string;
}

const PAD = 12;
const LINE = 18;
const FONT = "Roboto, system-ui, sans-serif";

/** Lays the panels out in rows; each picture is `size` pixels wide, small ones enlarged in whole pixels. */
export function composeFigure(
  title: string,
  panels: readonly Panel[],
  columns: number,
  size: number,
  legend: Legend | null = null,
): HTMLCanvasElement {
  const scaled = panels.map(({ canvas }) => {
    const factor = size / canvas.width;
    const exact = factor > 1 ? Math.ceil(factor) : factor;
    return { width: Math.round(canvas.width * exact), height: Math.round(canvas.height * exact) };
  });
  const cellWidth = Math.max(size, ...scaled.map(({ width }) => width));
  const cellHeight = Math.max(0, ...scaled.map(({ height }) => height));
  const captions = Math.max(0, ...panels.map(({ lines }) => lines.length)) * LINE;
  const used = Math.max(1, Math.min(columns, panels.length));
  const figure = document.createElement("canvas");
  figure.width = PAD + used * (cellWidth + PAD);
  figure.height = (legend === null ? 0 : LINE + PAD) + PAD + LINE + PAD + Math.ceil(panels.length / used) * (cellHeight + captions + PAD + 6);
  const context = figure.getContext("2d");
  if (context === null) return figure;
  const look = getComputedStyle(document.documentElement);
  const [card, strong, weak] = ["--card", "--text", "--muted"].map((name) => look.getPropertyValue(name));
  context.fillStyle = card;
  context.fillRect(0, 0, figure.width, figure.height);
  context.textBaseline = "top";
  write(context, title, PAD, PAD, figure.width - 2 * PAD, `500 15px ${FONT}`, strong);
  panels.forEach(({ canvas, lines }, index) => {
    const x = PAD + (index % used) * (cellWidth + PAD);
    const y = PAD + LINE + PAD + Math.floor(index / used) * (cellHeight + captions + PAD + 6);
    context.imageSmoothingEnabled = canvas.width > size;
    context.drawImage(canvas, x, y, scaled[index].width, scaled[index].height);
    lines.forEach((line, row) => {
      write(context, line, x, y + cellHeight + 6 + row * LINE, cellWidth, `13px ${FONT}`, row === 0 ? strong : weak);
    });
  });
  if (legend !== null) drawLegend(context, legend, figure.height - LINE - 6, figure.width - 2 * PAD, weak);
  return figure;
}

/** What the colours mean, under the pictures. */
function drawLegend(
  context: CanvasRenderingContext2D,
  { supporting, opposing, words }: Legend,
  y: number,
  width: number,
  colour: string,
): void {
  const PATCH = 12;
  let x = PAD;
  for (const [fill, name] of [
    [supporting, "speaks for"],
    [opposing, "speaks against"],
  ] as const) {
    context.fillStyle = fill;
    context.fillRect(x, y, PATCH, PATCH);
    x += PATCH + 5;
    write(context, name, x, y, width, `13px ${FONT}`, colour);
    x += context.measureText(name).width + 16;
  }
  write(context, words, x, y, Math.max(width - x, 40), `13px ${FONT}`, colour);
}

/** One line of text, cut with an ellipsis where it does not fit. */
function write(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  width: number,
  font: string,
  colour: string,
): void {
  context.font = font;
  context.fillStyle = colour;
  let shown = text;
  while (shown.length > 1 && context.measureText(shown).width > width) shown = `${shown.replace(/…$/, "").slice(0, -1)}…`;
  context.fillText(shown, x, y);
}
