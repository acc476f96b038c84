// An SVG of the page → canvas, for a PNG. Colours come from the style sheet, so they are written into a copy first.

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font", "text-anchor", "paint-order"];
const SHARPNESS = 2;

export async function rasterise(svg: SVGSVGElement): Promise<HTMLCanvasElement> {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const copies = copy.querySelectorAll<SVGElement>("*");
  svg.querySelectorAll("*").forEach((element, index) => {
    const computed = getComputedStyle(element);
    copies[index].style.cssText = STYLES.map((name) => `${name}:${computed.getPropertyValue(name)}`).join(";");
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = svg.clientWidth * SHARPNESS;
  canvas.height = svg.clientHeight * SHARPNESS;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}
