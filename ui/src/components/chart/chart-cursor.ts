/**
 * The cursor of a chart: an index moved by the pointer and the arrow keys; Enter or a click chooses what is under it.
 * Where ranges can be chosen, a drag or Shift with the arrow keys marks one, and its end or Enter chooses it.
 */
import { useRef, useState, type KeyboardEvent, type PointerEvent, type MouseEvent } from "react";

export interface ChartRange {
  first: number;
  /** At least `first`. */
  last: number;
}

interface ChartCursor {
  /** None while nothing is pointed at. */
  index: number | null;
  /** None while nothing is marked. */
  range: ChartRange | null;
  /** Spread on the element with the role `slider`. */
  handlers: {
    onKeyDown: (event: KeyboardEvent) => void;
    onClick: (event: MouseEvent<HTMLElement>) => void;
    onPointerDown: (event: PointerEvent<HTMLElement>) => void;
    onPointerUp: () => void;
    onPointerMove: (event: PointerEvent<HTMLElement>) => void;
    onPointerLeave: () => void;
    onBlur: () => void;
  };
}

interface ChartCursorOptions {
  count: number;
  /** The index at a distance from the left and the upper edge, in pixels. */
  indexAt: (offset: number, down: number) => number | null;
  onChoose?: ((index: number) => void) | undefined;
  /** None where ranges cannot be chosen. */
  onRange?: ((range: ChartRange) => void) | undefined;
}

/** Where a range begins, and what moves its other end. */
interface Anchor {
  index: number;
  by: "pointer" | "keys";
}

export function useChartCursor({ count, indexAt, onChoose, onRange }: ChartCursorOptions): ChartCursor {
  const [cursor, setCursor] = useState<number | null>(null);
  const [anchor, setAnchor] = useState<Anchor | null>(null);
  /** The click that may follow a drag chooses nothing. */
  const hasDragged = useRef(false);
  const index = cursor === null || cursor >= count ? null : cursor;
  const range = anchor === null || index === null || anchor.index >= count ? null : between(anchor, index);
  const clear = () => {
    setCursor(null);
    setAnchor(null);
  };
  const choose = (at: number) => {
    if (range === null) return onChoose?.(at);
    clear();
    onRange?.(range);
  };
  const indexOf = (event: MouseEvent<HTMLElement>) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const found = indexAt(event.clientX - left, event.clientY - top);
    return found === null || count === 0 ? null : clamp(found, count);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && index !== null) {
      event.stopPropagation();
      if (range === null) setCursor(null);
      else setAnchor(null);
    }
    if ((event.key === "Enter" || event.key === " ") && index !== null && (onChoose || range)) {
      event.preventDefault();
      choose(index);
    }
    const there = moved(event.key, index, count);
    if (there === undefined || count === 0) return;
    event.preventDefault();
    if (!event.shiftKey || onRange === undefined) setAnchor(null);
    else if (anchor === null) setAnchor({ index: index ?? clamp(there, count), by: "keys" });
    setCursor(clamp(there, count));
  };
  const onClick = (event: MouseEvent<HTMLElement>) => {
    const found = indexOf(event);
    if (found !== null && !hasDragged.current) onChoose?.(found);
  };
  // Not a click: a browser sends none if what was pressed has been drawn anew.
  const onPointerUp = () => {
    if (range !== null && anchor?.by === "pointer") {
      hasDragged.current = true;
      clear();
      onRange?.(range);
    }
    setAnchor(null);
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    const found = indexOf(event);
    hasDragged.current = false;
    setCursor(found);
    setAnchor(found === null || onRange === undefined || event.button !== 0 ? null : { index: found, by: "pointer" });
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    // A drag that ended elsewhere marks nothing.
    if (anchor?.by === "pointer" && event.buttons === 0) setAnchor(null);
    setCursor(indexOf(event));
  };
  return {
    index,
    range,
    handlers: { onKeyDown, onClick, onPointerDown, onPointerUp, onPointerMove, onPointerLeave: clear, onBlur: clear },
  };
}

/** A press on one place is no range yet; one place marked by keys is. */
function between({ index: start, by }: Anchor, end: number): ChartRange | null {
  return by === "pointer" && start === end ? null : { first: Math.min(start, end), last: Math.max(start, end) };
}

function moved(key: string, index: number | null, count: number): number | undefined {
  const here = index ?? count;
  return { ArrowLeft: here - 1, ArrowRight: index === null ? 0 : here + 1, Home: 0, End: count - 1 }[key];
}

function clamp(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count - 1);
}
