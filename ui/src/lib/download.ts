/** Offers a text to the browser as a file download. */
export function downloadText(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** False in the desktop window, where a download fails silently. */
export function canDownload(): boolean {
  return !("__TAURI_INTERNALS__" in window);
}
