/** Tracks the size of an element through a ref callback: no effect, and it ends with the element. */
import { useCallback, useState } from "react";

type Measure = (element: HTMLElement | null) => (() => void) | undefined;

export function useMeasuredWidth(initial: number): [number, Measure] {
  return useMeasured(initial, "clientWidth");
}

export function useMeasuredHeight(initial: number): [number, Measure] {
  return useMeasured(initial, "clientHeight");
}

function useMeasured(initial: number, side: "clientWidth" | "clientHeight"): [number, Measure] {
  const [size, setSize] = useState(initial);
  const measure = useCallback(
    (element: HTMLElement | null) => {
      if (element === null) return undefined;
      if (element[side] > 0) setSize(element[side]);
      const observer = new ResizeObserver(() => setSize(element[side]));
      observer.observe(element);
      return () => observer.disconnect();
    },
    [side],
  );
  return [size, measure];
}
