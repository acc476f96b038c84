// The plugin's routes. All addresses are relative to the page, so proxies and --path_prefix need no care.
import { decodeContainer } from "./container.ts";
import { decodeManifest, decodeNeighbours, decodeSegments, decodeSeries, decodeSummary, decodeSwaps } from "./decode.ts";
import type { Manifest, Neighbours, Picture, Segments, Series, Summary, Swaps } from "./types.ts";

export function url(route: string, parameters: Readonly<Record<string, string>> = {}): string {
  const query = Object.entries(parameters).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return query.length === 0 ? route : `${route}?${query.join("&")}`;
}

async function get(address: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { credentials: "same-origin" });
  } catch {
    throw new Error("TensorBoard does not answer. Is it still running?");
  }
  if (!response.ok) throw new Error(await sentence(response));
  return response;
}

/** The server's own words where it has any. */
async function sentence(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error?: unknown };
    if (typeof error === "string") return error;
  } catch {
    // Not JSON: a proxy's page, say.
  }
  return `TensorBoard answered with status ${response.status}.`;
}

export async function fetchManifest(): Promise<Manifest> {
  return decodeManifest(await (await get(url("manifest"))).json());
}

export async function fetchSummary(run: string): Promise<Summary> {
  return decodeSummary(decodeContainer(await (await get(url("summary", { run }))).arrayBuffer()));
}

export async function fetchSeries(run: string, probe: string): Promise<Series> {
  return decodeSeries(decodeContainer(await (await get(url("series", { run, probe }))).arrayBuffer()));
}

/** The newest epoch alone: a fraction of the bytes of a long series. */
export async function fetchNewest(run: string, probe: string): Promise<Series> {
  return decodeSeries(decodeContainer(await (await get(url("series", { run, probe, newest: "1" }))).arrayBuffer()));
}

export async function fetchSegments(run: string, probe: string): Promise<Segments> {
  return decodeSegments(decodeContainer(await (await get(url("segments", { run, probe }))).arrayBuffer()));
}

/** Swapped pictures of the newest epoch that has them, at most `step`; null: of the newest of all. */
export async function fetchSwaps(run: string, step: number | null): Promise<Swaps> {
  const query: Record<string, string> = step === null ? { run } : { run, step: String(step) };
  return decodeSwaps(decodeContainer(await (await get(url("swaps", query))).arrayBuffer()));
}

/** Nearest training images of the newest epoch that has them, at most `step`; null: of the newest of all. */
export async function fetchNeighbours(run: string, step: number | null): Promise<Neighbours> {
  const query: Record<string, string> = step === null ? { run } : { run, step: String(step) };
  return decodeNeighbours(decodeContainer(await (await get(url("neighbours", query))).arrayBuffer()));
}

export async function fetchPicture(run: string, probe: string): Promise<Picture> {
  const blob = await (await get(url("picture", { run, probe }))).blob();
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("This browser gives no canvas to draw on.");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, rgba: context.getImageData(0, 0, width, height).data };
}
