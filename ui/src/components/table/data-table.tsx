/**
 * A table sortable by any column that has a value, navigable with the arrow keys, and virtualised above 60 rows. The
 * first cell of an openable row is a button, so that the row has a name; only one of these buttons is in the tab order.
 */
import {
  createSortedRowModel,
  rowSortingFeature,
  tableFeatures,
  useTable,
  type ColumnDef,
  type SortingState,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { classNames } from "@/lib/class-names";

const VIRTUAL_ROWS_MIN = 60;
const ROW_HEIGHT_PX = 33;
const OVERSCAN_ROWS = 12;

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });

type SortValue = string | number | null;

export interface Column<Row> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** The sort value; a column without one cannot be sorted. */
  value?: (row: Row) => SortValue;
  numeric?: boolean;
  /** A CSS width; columns without one share the rest. */
  width?: string;
  /** Hidden in a table narrower than this. */
  from?: "640" | "800" | "1000" | "1100";
}

interface DataTableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  rowId: (row: Row) => string;
  onOpen?: (row: Row) => void;
  sorted?: { by: string; descending: boolean };
  /** Shown if there are no rows. */
  empty: ReactNode;
  /** Follows the last row, for example "show older". */
  after?: ReactNode;
  className?: string;
  /** Inside of a card: as wide as the card, with its lines instead of a second frame. */
  nested?: boolean;
  /** In a narrower area the table scrolls sideways, in pixels. */
  minWidth?: number | undefined;
}

const FROM: Record<NonNullable<Column<unknown>["from"]>, string> = {
  "640": "hidden @min-[640px]:table-cell",
  "800": "hidden @min-[800px]:table-cell",
  "1000": "hidden @min-[1000px]:table-cell",
  "1100": "hidden @min-[1100px]:table-cell",
};

function compare(left: SortValue, right: SortValue): number {
  if (left === null || right === null) return left === right ? 0 : left === null ? -1 : 1;
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right));
}

export function DataTable<Row extends object>({
  label,
  columns,
  rows,
  rowId,
  onOpen,
  sorted,
  empty,
  after,
  className,
  nested = false,
  minWidth,
}: DataTableProps<Row>) {
  const scroller = useRef<HTMLDivElement>(null);
  const [sorting, setSorting] = useState<SortingState>(sorted ? [{ id: sorted.by, desc: sorted.descending }] : []);
  const definitions = useMemo<ColumnDef<typeof features, Row>[]>(
    () =>
      columns.map((column) => ({
        id: column.id,
        accessorFn: (row: Row) => column.value?.(row) ?? null,
        enableSorting: column.value !== undefined,
        sortDescFirst: column.numeric === true,
        sortFn: (left, right, id) => compare(left.getValue<SortValue>(id), right.getValue<SortValue>(id)),
      })),
    [columns],
  );
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: rowId,
    state: { sorting },
    onSortingChange: setSorting,
  });
  const ordered = table.getRowModel().rows;
  const isVirtual = ordered.length > VIRTUAL_ROWS_MIN;
  const virtual = useVirtualizer({
    count: isVirtual ? ordered.length : 0,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: OVERSCAN_ROWS,
  });
  const window = virtual.getVirtualItems();
  const visible = isVirtual ? window.flatMap((item) => ordered[item.index] ?? []) : ordered;
  const above = isVirtual ? (window[0]?.start ?? 0) : 0;
  const below = isVirtual ? virtual.getTotalSize() - (window.at(-1)?.end ?? 0) : 0;
  const [current, setCurrent] = useState<string | null>(null);
  const [awaited, setAwaited] = useState<string | null>(null);
  // Only one row is a tab stop. Otherwise hundreds would precede the content after the table.
  const stop = visible.find((row) => row.id === current)?.id ?? visible[0]?.id;

  return (
    // The area scrolls, so it takes focus for the arrow keys.
    <div
      ref={scroller}
      role="region"
      aria-label={label}
      tabIndex={rows.length === 0 ? -1 : 0}
      className={classNames(
        "@container focus-inset overflow-auto border-line bg-surface-1",
        nested ? "-mx-4 border-t last:-mb-4 last:rounded-b-card not-last:border-b" : "rounded-card border",
        className,
      )}
    >
      {/* Arrow keys only move the focus between the buttons inside. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <table
        className="w-full table-fixed border-separate border-spacing-0"
        style={minWidth === undefined ? undefined : { minWidth }}
        aria-rowcount={ordered.length + 1}
        onKeyDown={(event) => {
          const end = { Home: 0, End: ordered.length - 1 }[event.key];
          if (end === undefined) return walkRows(event);
          if (!isRowFocused(event.currentTarget)) return;
          event.preventDefault();
          // The row is drawn once the table is scrolled there.
          if (isVirtual) virtual.scrollToIndex(end);
          setAwaited(ordered[end]?.id ?? null);
        }}
      >
        <thead>
          <tr>
            {columns.map((column) => (
              <HeaderCell
                key={column.id}
                column={column}
                direction={sorting.find((entry) => entry.id === column.id)}
                onSort={() => table.getColumn(column.id)?.toggleSorting()}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <Spacer height={above} />}
          {visible.map((row) => (
            <BodyRow
              key={row.id}
              columns={columns}
              row={row.original}
              index={row.index}
              isStop={row.id === stop}
              isAwaited={row.id === awaited}
              onFocus={() => setCurrent(row.id)}
              onReached={() => setAwaited(null)}
              onOpen={onOpen}
            />
          ))}
          {below > 0 && <Spacer height={below} />}
        </tbody>
      </table>
      {rows.length === 0 && empty}
      {after}
    </div>
  );
}

interface BodyRowProps<Row> {
  columns: Column<Row>[];
  row: Row;
  index: number;
  /** The one row that is a tab stop. */
  isStop: boolean;
  /** Gets the focus as soon as it is drawn. */
  isAwaited: boolean;
  onFocus: () => void;
  onReached: () => void;
  onOpen: ((row: Row) => void) | undefined;
}

function BodyRow<Row>({ columns, row, index, isStop, isAwaited, onFocus, onReached, onOpen }: BodyRowProps<Row>) {
  const reach = (button: HTMLButtonElement | null) => {
    button?.focus();
    onReached();
  };
  return (
    <tr
      aria-rowindex={index + 2}
      onClick={onOpen && (() => onOpen(row))}
      className={classNames("group", onOpen && "hover:bg-surface-2")}
    >
      {columns.map((column, place) => (
        <td
          key={column.id}
          className={classNames(
            "h-[33px] truncate border-b border-line px-3 group-last:border-b-0 first:pl-4 last:pr-4",
            column.numeric && "numeric",
            column.from && FROM[column.from],
          )}
        >
          {place === 0 && onOpen ? (
            <button
              type="button"
              data-row
              ref={isAwaited ? reach : undefined}
              tabIndex={isStop ? 0 : -1}
              onFocus={onFocus}
              className="focus-inset block w-full truncate rounded-mark text-left"
              onClick={(event) => (event.stopPropagation(), onOpen(row))}
            >
              {column.cell(row)}
            </button>
          ) : (
            column.cell(row)
          )}
        </td>
      ))}
    </tr>
  );
}

function isRowFocused(table: HTMLTableElement): boolean {
  return table.querySelector("button[data-row]:focus") !== null;
}

/** Moves the focus between the rows' buttons with Arrow up and down. */
function walkRows(event: KeyboardEvent<HTMLTableElement>) {
  const buttons = [...event.currentTarget.querySelectorAll<HTMLButtonElement>("button[data-row]")];
  const here = buttons.indexOf(document.activeElement as HTMLButtonElement);
  if (here < 0) return;
  const there = { ArrowDown: here + 1, ArrowUp: here - 1 }[event.key];
  const target = there === undefined ? undefined : buttons[there];
  if (!target) return;
  event.preventDefault();
  target.focus();
}

interface HeaderCellProps<Row> {
  column: Column<Row>;
  direction: { desc: boolean } | undefined;
  onSort: () => void;
}

function HeaderCell<Row>({ column, direction, onSort }: HeaderCellProps<Row>) {
  const Arrow = direction?.desc === true ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      style={column.width === undefined ? undefined : { width: column.width }}
      aria-sort={direction === undefined ? undefined : direction.desc ? "descending" : "ascending"}
      className={classNames(
        "sticky top-0 z-10 h-8 truncate border-b border-line bg-surface-1 px-3 text-12 font-medium text-ink-3 first:pl-4 last:pr-4",
        column.numeric ? "numeric" : "text-left",
        column.from && FROM[column.from],
      )}
    >
      {column.value === undefined ? (
        <span className="inline-flex align-middle">{column.header}</span>
      ) : (
        <button
          type="button"
          onClick={onSort}
          className={classNames(
            "group/sort inline-flex items-center gap-1 rounded-mark align-middle hover:text-ink-1",
            direction && "text-ink-1",
            column.numeric && "flex-row-reverse",
          )}
        >
          {column.header}
          <Arrow
            size={12}
            strokeWidth={1.75}
            aria-hidden
            className={direction ? undefined : "opacity-0 group-hover/sort:opacity-60"}
          />
        </button>
      )}
    </th>
  );
}

/** One cell: a span over all columns would make room for those that are hidden. */
function Spacer({ height }: { height: number }) {
  return (
    <tr aria-hidden="true">
      {/* A spacer, not a control. */}
      {/* oxlint-disable-next-line jsx-a11y/control-has-associated-label */}
      <td style={{ height }} />
    </tr>
  );
}
