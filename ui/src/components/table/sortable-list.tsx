/**
 * A list that the user can reorder: each row has a handle to drag, which also moves the row with the arrow keys. While
 * a row is dragged, the others only shift visually and keep their place in the document, so that focus is not lost.
 */
import { GripVertical } from "lucide-react";
import { useId, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode, type RefObject } from "react";
import { flushSync } from "react-dom";
import { classNames } from "@/lib/class-names";

interface SortableListProps<Item> {
  /** The name of the list, for example "Routes". */
  label: string;
  items: Item[];
  idOf: (item: Item) => string;
  /** The row's name, for the handle and the announcement after a move. */
  nameOf: (item: Item) => string;
  /**
   * Called with the new order, which is shown until the promise settles. By then `items` must have the new order, or
   * keep the old one.
   */
  onOrder: (ids: string[], from: number, to: number) => Promise<unknown> | void;
  className?: string;
  children: (item: Item, handle: ReactNode, index: number) => ReactNode;
}

interface Drag {
  from: number;
  to: number;
  /** The distance of the drag, in pixels. */
  by: number;
  startY: number;
  boxes: { top: number; height: number }[];
}

function moved<Item>(items: Item[], from: number, to: number): Item[] {
  const without = items.toSpliced(from, 1);
  return without.toSpliced(to, 0, ...items.slice(from, from + 1));
}

/** The index under the middle of the dragged row. */
function placeUnder({ from, boxes }: Drag, by: number): number {
  const own = boxes[from];
  if (own === undefined) return from;
  const middle = own.top + own.height / 2 + by;
  const place = boxes.findIndex((box) => middle < box.top + box.height);
  return place === -1 ? boxes.length - 1 : place;
}

/** The visual shift of a row that makes room for the dragged one. */
function shift(drag: Drag, index: number): number {
  const own = drag.boxes[drag.from];
  const [first, second] = drag.boxes;
  if (own === undefined) return 0;
  if (index === drag.from) return drag.by;
  const gap = first && second ? second.top - first.top - first.height : 0;
  if (index > drag.from && index <= drag.to) return -own.height - gap;
  if (index < drag.from && index >= drag.to) return own.height + gap;
  return 0;
}

interface Order<Item> {
  shown: Item[];
  /** The last move in words. */
  said: string;
  move: (from: number, to: number) => void;
}

/** The order that was asked for, until the owner of the rows has accepted or refused it. */
function useOrder<Item>({ items, idOf, nameOf, onOrder }: SortableListProps<Item>, listId: string): Order<Item> {
  const [said, setSaid] = useState("");
  const [wanted, setWanted] = useState<{ over: string; ids: string[] } | null>(null);
  const over = items.map(idOf).join("\n");
  const shown =
    wanted?.over === over ? wanted.ids.flatMap((id) => items.find((item) => idOf(item) === id) ?? []) : items;
  const settle = () => setWanted(null);
  const move = (from: number, to: number) => {
    const item = shown[from];
    if (item === undefined || from === to || to < 0 || to >= shown.length) return;
    const ids = moved(shown.map(idOf), from, to);
    flushSync(() => {
      setWanted({ over, ids });
      setSaid(`${nameOf(item)} is now ${to + 1} of ${shown.length}.`);
    });
    // A row that was moved in the document has lost its focus.
    document.getElementById(`${listId}-${idOf(item)}`)?.focus();
    void Promise.resolve(onOrder(ids, from, to)).then(settle, settle);
  };
  return { shown, said, move };
}

/** Moves a row by the pointer or by keys. */
function useDrag(list: RefObject<HTMLOListElement | null>, count: number, move: (from: number, to: number) => void) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const press = (event: KeyboardEvent, index: number) => {
    if (drag !== null && event.key === "Escape") {
      event.stopPropagation();
      setDrag(null);
      return;
    }
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(index, to);
  };
  const take = (event: PointerEvent<HTMLElement>, from: number) => {
    if (event.button !== 0 || list.current === null) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const boxes = [...list.current.children].map((row) => row.getBoundingClientRect());
    setDrag({ from, to: from, by: 0, startY: event.clientY, boxes });
  };
  const pull = (event: PointerEvent) => {
    if (drag === null) return;
    const by = event.clientY - drag.startY;
    setDrag({ ...drag, by, to: placeUnder(drag, by) });
  };
  const drop = () => {
    if (drag === null) return;
    setDrag(null);
    move(drag.from, drag.to);
  };
  const handlers = (index: number) => ({
    onKeyDown: (event: KeyboardEvent) => press(event, index),
    onPointerDown: (event: PointerEvent<HTMLElement>) => take(event, index),
    onPointerMove: pull,
    onPointerUp: drop,
    onPointerCancel: () => setDrag(null),
  });
  return { drag, handlers };
}

export function SortableList<Item>(props: SortableListProps<Item>) {
  const { label, idOf, nameOf, className, children } = props;
  const listId = useId();
  const list = useRef<HTMLOListElement>(null);
  const { shown, said, move } = useOrder(props, listId);
  const { drag, handlers } = useDrag(list, shown.length, move);
  return (
    <>
      <ol ref={list} aria-label={label} className={className}>
        {shown.map((item, index) => {
          const by = drag === null ? 0 : shift(drag, index);
          return (
            <li
              key={idOf(item)}
              className={classNames(
                drag !== null && index !== drag.from && "transition-transform duration-150 ease-out",
                drag?.from === index && "relative z-10 opacity-90",
              )}
              style={by === 0 ? undefined : { transform: `translateY(${by}px)` }}
            >
              {children(
                item,
                <button
                  type="button"
                  id={`${listId}-${idOf(item)}`}
                  aria-label={`Move ${nameOf(item)}, ${index + 1} of ${shown.length}`}
                  aria-describedby={`${listId}-how`}
                  aria-keyshortcuts="ArrowUp ArrowDown"
                  title="Drag, or press ↑ ↓"
                  disabled={shown.length < 2}
                  {...handlers(index)}
                  className="flex h-7 w-5 shrink-0 touch-none items-center justify-center rounded-mark text-ink-3 not-disabled:cursor-grab hover:text-ink-1 active:cursor-grabbing disabled:opacity-30"
                >
                  <GripVertical size={14} strokeWidth={1.5} aria-hidden />
                </button>,
                index,
              )}
            </li>
          );
        })}
      </ol>
      <span id={`${listId}-how`} hidden>
        Use the up and down arrow keys to move it.
      </span>
      <span role="status" className="sr-only">
        {said}
      </span>
    </>
  );
}
