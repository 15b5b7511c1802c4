/** Work for when the page has nothing else to do. */
const WAIT_MS = 300;

/** Runs once when the page is idle. Returns a function that cancels it. */
export function whenIdle(run: () => void): () => void {
  // WebKit, which draws the desktop window, has no idle callbacks.
  if (typeof requestIdleCallback === "undefined") {
    const timer = setTimeout(run, WAIT_MS);
    return () => clearTimeout(timer);
  }
  const request = requestIdleCallback(run);
  return () => cancelIdleCallback(request);
}
