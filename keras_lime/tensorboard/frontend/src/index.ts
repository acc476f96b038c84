export function render(): void {
  document.body.textContent = "LIME";
}
