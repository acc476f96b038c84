// The rim of one superpixel as an SVG path in picture coordinates. Pure.
import type { Sheet } from "./overlay.ts";

export function outlinePath({ width, height, labels }: Pick<Sheet, "width" | "height" | "labels">, segment: number): string {
  const inside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] === segment;
  const parts: string[] = [];
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      const here = inside(x, y);
      if (here !== inside(x, y - 1)) parts.push(`M${x} ${y}h1`);
      if (here !== inside(x - 1, y)) parts.push(`M${x} ${y}v1`);
    }
  }
  return parts.join("");
}
