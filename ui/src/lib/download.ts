/** Hands a text to the browser as a file to save. */
export function downloadText(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** The desktop window takes no downloads: a click there would end in nothing, without a word. */
export function canDownload(): boolean {
  return !("__TAURI_INTERNALS__" in window);
}
