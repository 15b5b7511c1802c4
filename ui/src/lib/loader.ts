/**
 * Loads a part of the program once, on demand. A store instead of `React.lazy`: what is already loaded is drawn at once,
 * without a frame of the placeholder.
 */
import { whenIdle } from "@/lib/idle";

type Loading<Part> = { kind: "unloaded" } | { kind: "loading" } | { kind: "loaded"; part: Part } | { kind: "failed" };

export interface Loader<Part> {
  read: () => Loading<Part>;
  /** Loads the part, also after a failure. Never rejects. */
  load: () => Promise<void>;
  /** Loads the part, and tells the listener about every change until it is removed. */
  follow: (listener: () => void) => () => void;
  /** As `follow`, but loads the part when the page is idle. */
  followWhenIdle: (listener: () => void) => () => void;
}

export function createLoader<Part>(fetchPart: () => Promise<Part>): Loader<Part> {
  let now: Loading<Part> = { kind: "unloaded" };
  let running: Promise<void> | undefined;
  let followers = 0;
  const listeners = new Set<() => void>();
  const become = (next: Loading<Part>) => {
    now = next;
    for (const listener of listeners) listener();
  };
  const load = () => {
    if (now.kind === "loaded") return Promise.resolve();
    running ??= start();
    return running;
  };
  const start = async () => {
    become({ kind: "loading" });
    try {
      become({ kind: "loaded", part: await fetchPart() });
    } catch {
      // What was only loaded ahead is tried again when it is needed.
      become({ kind: followers > 0 ? "failed" : "unloaded" });
    } finally {
      running = undefined;
    }
  };
  const watch = (listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  return {
    read: () => now,
    load,
    followWhenIdle: (listener) => {
      const stop = watch(listener);
      const cancel = whenIdle(() => void load());
      return () => {
        cancel();
        stop();
      };
    },
    follow: (listener) => {
      const stop = watch(listener);
      followers += 1;
      void load();
      return () => {
        followers -= 1;
        stop();
      };
    },
  };
}
