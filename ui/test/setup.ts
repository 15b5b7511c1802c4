/** What jsdom lacks and the panel's parts ask for. */
import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { ReadableStream, TextDecoderStream, TransformStream } from "node:stream/web";
import { afterEach } from "vitest";

/** A busy machine takes longer than a second to draw a screen; what is there at once is still found at once. */
const FOUND_WITHIN_MS = 10_000;
configure({ asyncUtilTimeout: FOUND_WITHIN_MS });

class NoResizes implements ResizeObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}

globalThis.ResizeObserver ??= NoResizes;
// Node's own, which a context with the globals of a window lacks.
Object.assign(globalThis, { ReadableStream, TextDecoderStream, TransformStream });
// Never idle: what is loaded ahead would still be under way when a test file ends.
globalThis.requestIdleCallback ??= () => 0;
globalThis.cancelIdleCallback ??= () => {};
Element.prototype.scrollIntoView ??= () => {};
Element.prototype.hasPointerCapture ??= () => false;
Element.prototype.setPointerCapture ??= () => {};
window.matchMedia ??= (query: string) =>
  ({
    matches: false,
    media: query,
    addEventListener: () => {},
    removeEventListener: () => {},
  }) as unknown as MediaQueryList;

afterEach(cleanup);
