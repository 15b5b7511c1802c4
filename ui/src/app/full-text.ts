/** Gives a truncated element its full text as a tooltip. One rule for the whole panel. */
export function tellFullText({ target }: { target: EventTarget }): void {
  const cut = target instanceof Element ? target.closest<HTMLElement>(".truncate") : null;
  if (cut === null) return;
  const isCut = cut.scrollWidth > cut.clientWidth;
  if (cut.dataset["told"] === undefined && (!isCut || cut.closest("[title]") !== null)) return;
  cut.dataset["told"] = "";
  cut.title = isCut ? (cut.textContent ?? "") : "";
}
