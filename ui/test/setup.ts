/** What jsdom lacks and the panel's parts ask for. */
import "@testing-library/jest-dom/vitest";
import { cleanup, configure, getConfig } from "@testing-library/react";
import { ReadableStream, TextDecoderStream, TransformStream } from "node:stream/web";
import { afterEach } from "vitest";

/** A busy machine takes longer than a second to draw a screen; what is there at once is still found at once. */
const FOUND_WITHIN_MS = 10_000;
configure({ asyncUtilTimeout: FOUND_WITHIN_MS });

/**
 * Something that is waited for is looked for at each change of the page, and each time that it is not there yet the
 * library prints the whole page into an error that nobody sees: a third of the time of a test. The page is printed once
 * now, into the error that ends the wait.
 */
const withPage = getConfig().getElementError;
configure({
  getElementError: (message, container) => {
    const { _disableExpensiveErrorDiagnostics: waiting } = getConfig() as {
      _disableExpensiveErrorDiagnostics?: boolean;
    };
    if (waiting !== true) return withPage(message, container);
    const error = new Error(message ?? "");
    error.name = "TestingLibraryElementError";
    return error;
  },
});

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

/** Files share a page, so each test leaves nothing on it for the next. */
afterEach(() => {
  cleanup();
  localStorage.clear();
  sessionStorage.clear();
});
