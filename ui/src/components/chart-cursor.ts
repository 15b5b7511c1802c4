/** The cursor of a chart: an index moved by the pointer and the arrow keys; Enter or a click chooses what is under it. */
import { useState, type KeyboardEvent, type MouseEvent } from "react";

interface ChartCursor {
  /** None while nothing is pointed at. */
  index: number | null;
  /** Spread on the element with the role `slider`. */
  handlers: {
    onKeyDown: (event: KeyboardEvent) => void;
    onClick: (event: MouseEvent<HTMLElement>) => void;
    onPointerMove: (event: MouseEvent<HTMLElement>) => void;
    onPointerLeave: () => void;
    onBlur: () => void;
  };
}

interface ChartCursorOptions {
  count: number;
  /** The index at a distance from the left and the upper edge, in pixels. */
  indexAt: (offset: number, down: number) => number | null;
  onChoose?: ((index: number) => void) | undefined;
}

export function useChartCursor({ count, indexAt, onChoose }: ChartCursorOptions): ChartCursor {
  const [cursor, setCursor] = useState<number | null>(null);
  const index = cursor === null || cursor >= count ? null : cursor;
  const indexOf = (event: MouseEvent<HTMLElement>) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const found = indexAt(event.clientX - left, event.clientY - top);
    return found === null || count === 0 ? null : Math.min(Math.max(found, 0), count - 1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const here = index ?? count;
    const there = { ArrowLeft: here - 1, ArrowRight: index === null ? 0 : here + 1, Home: 0, End: count - 1 }[
      event.key
    ];
    if (event.key === "Escape" && index !== null) {
      event.stopPropagation();
      setCursor(null);
    }
    if ((event.key === "Enter" || event.key === " ") && index !== null && onChoose) {
      event.preventDefault();
      onChoose(index);
    }
    if (there === undefined || count === 0) return;
    event.preventDefault();
    setCursor(Math.min(Math.max(there, 0), count - 1));
  };
  const onClick = (event: MouseEvent<HTMLElement>) => {
    const found = indexOf(event);
    if (found !== null) onChoose?.(found);
  };
  return {
    index,
    handlers: {
      onKeyDown,
      onClick,
      onPointerMove: (event) => setCursor(indexOf(event)),
      onPointerLeave: () => setCursor(null),
      onBlur: () => setCursor(null),
    },
  };
}
