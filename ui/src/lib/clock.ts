/**
 * The panel's only source of time. Relative times update together every 15 seconds, countdowns every second while they
 * are on the page. Nothing else in the panel uses a timer.
 */
import { createContext, useContext, useSyncExternalStore } from "react";
import { SECOND_MS } from "@/lib/time";

const TICK_MS = 15_000;

interface Pace {
  /** Milliseconds since 1970; constant between two ticks. */
  now(): number;
  /** Calls `listener` at every tick until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

export interface Clock extends Pace {
  /** Milliseconds since 1970, not limited to ticks. */
  exact(): number;
  /** The same time with ticks every second, for countdowns. */
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

/** A clock that never advances, for fake data, tests and screenshots. */
export function stoppedClock(moment: number): Clock {
  const stopped: Pace = { now: () => moment, subscribe: () => () => {} };
  return { ...stopped, exact: stopped.now, seconds: stopped };
}

export const ClockContext = createContext<Clock>(systemClock());

/**
 * The current time, updated every 15 seconds and at every render. The last tick would be older than a moment that has
 * just arrived from the core, which would then be shown as in the future.
 */
export function useNow(): number {
  const source = useContext(ClockContext);
  useSyncExternalStore(source.subscribe, source.now);
  return source.exact();
}

/** The current time, updated every second. Only for countdowns, while they run. */
export function useSeconds(): number {
  const { seconds } = useContext(ClockContext);
  return useSyncExternalStore(seconds.subscribe, seconds.now);
}
