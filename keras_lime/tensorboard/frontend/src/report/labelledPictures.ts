// Data of the file → pictures ready to be drawn: decoded once, the visible ones first, all in the end, to be printed.
import { makeLabelled, type LabelledPicture } from "../draw/overlay.ts";
import type { PictureData } from "./content.ts";

const sheets = new Map<PictureData, Promise<LabelledPicture>>();

export function labelledOf(picture: PictureData): Promise<LabelledPicture> {
  let found = sheets.get(picture);
  if (found === undefined) {
    found = decode(picture);
    sheets.set(picture, found);
  }
  return found;
}

async function decode({ width, height, file, segments }: PictureData): Promise<LabelledPicture> {
  const image = new Image();
  image.src = file;
  const [labels] = await Promise.all([inflate(segments), image.decode()]);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("This browser has no canvas.");
  context.drawImage(image, 0, 0, width, height);
  return makeLabelled(width, height, context.getImageData(0, 0, width, height).data, labels);
}

/** Little-endian 16-bit numbers, as all browsers' machines have them. */
async function inflate(base64: string): Promise<Uint16Array> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint16Array(await new Response(stream).arrayBuffer());
}

type Draw = () => Promise<void>;

const waiting = new Map<Element, Draw>();
let idle = false;

const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) void take(target);
  },
  { rootMargin: "300px" },
);

/** Draws when the element comes near the window, or when there is nothing better to do. */
export function drawSoon(element: Element, draw: Draw): () => void {
  waiting.set(element, draw);
  observer.observe(element);
  delete document.documentElement.dataset.drawn;
  if (!idle) {
    idle = true;
    setTimeout(drawNext, 250);
  }
  return () => {
    waiting.delete(element);
    observer.unobserve(element);
  };
}

async function take(element: Element): Promise<void> {
  const draw = waiting.get(element);
  waiting.delete(element);
  observer.unobserve(element);
  try {
    await draw?.();
  } catch {
    // A picture that cannot be decoded stays empty; its caption says what it was.
  }
}

async function drawNext(): Promise<void> {
  const [next] = waiting.keys();
  if (next === undefined) {
    idle = false;
    document.documentElement.dataset.drawn = "all";
    return;
  }
  await take(next);
  setTimeout(drawNext);
}
