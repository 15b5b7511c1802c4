/**
 * The panel's only reading of the time. Relative times move on together every 15 seconds; nothing else in the panel
 * runs on a timer.
 */
import { createContext, useContext, useSyncExternalStore } from "react";

const TICK_MS = 15_000;

export interface Clock {
  /** Milliseconds since 1970; the same value between two ticks. */
  now(): number;
  /** Calls `listener` at every tick until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

export function systemClock(): Clock {
  let reading = Date.now();
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  const tick = () => {
    reading = Date.now();
    for (const listener of listeners) listener();
  };
  return {
    now: () => (listeners.size === 0 ? (reading = Date.now()) : reading),
    subscribe(listener) {
      listeners.add(listener);
      timer ??= setInterval(tick, TICK_MS);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}

/** Stands still; for the made-up world, tests and screenshots. */
export function stoppedClock(moment: number): Clock {
  return { now: () => moment, subscribe: () => () => {} };
}

export const ClockContext = createContext<Clock>(systemClock());

/** The present, moving on every 15 seconds. */
export function useNow(): number {
  const source = useContext(ClockContext);
  return useSyncExternalStore(source.subscribe, source.now);
}
