// Files for the user: a blob under a name. Nothing leaves the browser.

export function saveText(text: string, name: string): void {
  // The mark at the start makes spreadsheets read it as UTF-8.
  saveBlob(new Blob(["\uFEFF", text], { type: "text/csv;charset=utf-8" }), name);
}

export function saveFile(text: string, name: string, type: string): void {
  saveBlob(new Blob([text], { type }), name);
}

export function savePicture(canvas: HTMLCanvasElement, name: string): void {
  canvas.toBlob((blob) => {
    if (blob !== null) saveBlob(blob, name);
  }, "image/png");
}

function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
