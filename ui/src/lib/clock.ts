/**
 * The panel's only reading of the time. Relative times move on together every 15 seconds, and what counts down does so
 * every second while it is on the page; nothing else in the panel runs on a timer.
 */
import { createContext, useContext, useSyncExternalStore } from "react";

const TICK_MS = 15_000;
const SECOND_MS = 1_000;

interface Pace {
  /** Milliseconds since 1970; the same value between two ticks. */
  now(): number;
  /** Calls `listener` at every tick until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

export interface Clock extends Pace {
  /** Milliseconds since 1970, also between two ticks. */
  exact(): number;
  /** The same time in steps of a second, for what counts down. */
  seconds: Pace;
}

function pace(tickMs: number): Pace {
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
      timer ??= setInterval(tick, tickMs);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}

export function systemClock(): Clock {
  return { ...pace(TICK_MS), exact: () => Date.now(), seconds: pace(SECOND_MS) };
}

/** Stands still; for the made-up world, tests and screenshots. */
export function stoppedClock(moment: number): Clock {
  const stopped: Pace = { now: () => moment, subscribe: () => () => {} };
  return { ...stopped, exact: stopped.now, seconds: stopped };
}

export const ClockContext = createContext<Clock>(systemClock());

/**
 * The present, moving on every 15 seconds and with every rendering: the last tick would be too old for a moment that
 * has just come from the core, which would then be told as a future one.
 */
export function useNow(): number {
  const source = useContext(ClockContext);
  useSyncExternalStore(source.subscribe, source.now);
  return source.exact();
}

/** The present, moving on every second: only for what counts down, and only while it does. */
export function useSeconds(): number {
  const { seconds } = useContext(ClockContext);
  return useSyncExternalStore(seconds.subscribe, seconds.now);
}
