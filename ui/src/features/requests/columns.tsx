/** The columns of the requests, which of them are shown, and the menu that chooses them. */
import * as Radix from "@radix-ui/react-dropdown-menu";
import { Check, Columns3 } from "lucide-react";
import { useState } from "react";
import { Tokens } from "@/features/requests/tokens";
import { Button } from "@/components/button/button";
import { Cost } from "@/components/text/cost";
import type { Column } from "@/components/table/data-table";
import { MenuContent } from "@/components/menu/menu-content";
import { Moment } from "@/components/text/moment";
import { StateMark } from "@/components/state/state-mark";
import type { RequestView } from "@/ipc/bindings";
import { formatDuration } from "@/lib/quantity";
import { CACHE_OUTCOME, REQUEST } from "@/lib/tables";

const dash = <span className="text-ink-3">–</span>;

function named(id: string, header: string, width: string, value: (request: RequestView) => string | null) {
  const cell = (request: RequestView) => {
    const name = value(request);
    return name === null ? dash : <span className="text-ink-2">{name}</span>;
  };
  return { id, header, width, value, cell };
}

function timed(id: string, header: string, width: string, value: (request: RequestView) => number | null) {
  const cell = (request: RequestView) => {
    const ms = value(request);
    return ms === null ? dash : formatDuration(ms);
  };
  return { id, header, width, value, cell, numeric: true };
}

function counted(
  id: string,
  header: string,
  value: (request: RequestView) => RequestView["input_tokens"],
): Column<RequestView> {
  const cell = (request: RequestView) => <Tokens count={value(request)} basis={request.usage_basis} unknown={dash} />;
  return { id, header, width: "80px", numeric: true, value, cell };
}

/** The first names the row and is always shown. `from` holds until columns were chosen. */
export const COLUMNS: Column<RequestView>[] = [
  {
    id: "model",
    header: "Model",
    value: (request) => request.model_asked,
    cell: (request) => (
      <span className="flex items-center gap-2.5" title={request.error ?? undefined}>
        <StateMark sign={REQUEST[request.state]} />
        <span className="sr-only">{REQUEST[request.state].word}, </span>
        <span className="truncate text-ink-1">{request.model_asked}</span>
      </span>
    ),
  },
  {
    id: "state",
    header: "State",
    width: "92px",
    from: "800",
    value: (request) => REQUEST[request.state].word,
    cell: (request) => (
      <span className={request.state === "failed" ? "text-bad" : "text-ink-2"}>{REQUEST[request.state].word}</span>
    ),
  },
  {
    id: "status",
    header: "Status",
    width: "88px",
    numeric: true,
    value: (request) => request.http_status,
    cell: (request) => request.http_status ?? dash,
  },
  { ...named("client", "Client", "104px", (request) => request.client), from: "640" },
  named("project", "Project", "112px", (request) => request.project),
  named("route", "Route", "120px", (request) => request.route),
  { ...named("backend", "Backend", "104px", (request) => request.backend), from: "1000" },
  named("key", "Key", "112px", (request) => request.key),
  named("billed", "Model billed", "160px", (request) => request.model_billed),
  { ...timed("first", "First token", "104px", (request) => request.first_token_ms), from: "1100" },
  timed("total", "Total", "92px", (request) => request.total_ms),
  counted("in", "In", (request) => request.input_tokens),
  counted("cached", "Cached", (request) => request.cache_read_tokens),
  counted("out", "Out", (request) => request.output_tokens),
  {
    id: "cost",
    header: "Cost",
    width: "100px",
    numeric: true,
    value: (request) => request.cost_nano_usd,
    cell: (request) =>
      request.state === "failed" && request.cost_basis === "not_billed" ? (
        dash
      ) : (
        <Cost cost={request.cost_nano_usd} basis={request.cost_basis} />
      ),
  },
  named("cache", "Cache", "140px", (request) => CACHE_OUTCOME[request.cache].word),
  {
    id: "attempts",
    header: "Attempts",
    width: "92px",
    numeric: true,
    value: (request) => request.attempts,
    cell: (request) => request.attempts,
  },
  {
    id: "when",
    header: "When",
    width: "104px",
    numeric: true,
    value: (request) => request.started_at,
    cell: (request) => (
      <span className="text-ink-2">
        <Moment at={request.started_at} />
      </span>
    ),
  },
];

const USUAL = ["model", "state", "client", "backend", "first", "total", "in", "out", "cost", "when"];
const STORED_UNDER = "gatehouse.requests.columns";
/** The width of a column without one of its own, in pixels. */
const MODEL_WIDTH_PX = 220;

function stored(): string[] | null {
  const stored: unknown = JSON.parse(localStorage.getItem(STORED_UNDER) ?? "null");
  return Array.isArray(stored) ? stored.filter((id) => typeof id === "string") : null;
}

export interface ChosenColumns {
  columns: Column<RequestView>[];
  /** The width under which the table scrolls sideways, in pixels; none while nothing was chosen. */
  minWidth: number | undefined;
  /** `null` returns to the usual ones. */
  choose: (ids: string[] | null) => void;
}

function alwaysShown({ from: _from, ...column }: Column<RequestView>): Column<RequestView> {
  return column;
}

function widthOf({ width }: Column<RequestView>): number {
  return width === undefined ? MODEL_WIDTH_PX : Number.parseInt(width, 10);
}

/** The columns that this person chose on this machine. Until then a narrow table shows fewer. */
export function useColumns(): ChosenColumns {
  const [ids, setIds] = useState(stored);
  const choose = (next: string[] | null) => {
    if (next === null) localStorage.removeItem(STORED_UNDER);
    else localStorage.setItem(STORED_UNDER, JSON.stringify(next));
    setIds(next);
  };
  if (ids === null) return { columns: COLUMNS.filter(({ id }) => USUAL.includes(id)), minWidth: undefined, choose };
  const columns = COLUMNS.filter(({ id }, place) => place === 0 || ids.includes(id)).map(alwaysShown);
  return { columns, minWidth: columns.reduce((sum, column) => sum + widthOf(column), 0), choose };
}

const ITEM =
  "flex min-h-7 items-center gap-2 rounded-[4px] py-1 pr-3 pl-7 text-12 text-ink-1 outline-none data-[highlighted]:bg-surface-2 data-[state=checked]:pl-2";

export function ColumnsMenu({ chosen: { columns, minWidth, choose } }: { chosen: ChosenColumns }) {
  const shown = columns.map(({ id }) => id);
  const toggle = (id: string) => choose(shown.includes(id) ? shown.filter((other) => other !== id) : [...shown, id]);
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>
        <Button icon={Columns3}>Columns</Button>
      </Radix.Trigger>
      <MenuContent align="end" className="max-h-96 min-w-44 overflow-y-auto">
        {COLUMNS.slice(1).map(({ id, header }) => (
          <Radix.CheckboxItem
            key={id}
            checked={shown.includes(id)}
            onCheckedChange={() => toggle(id)}
            // Several are chosen in one go.
            onSelect={(event) => event.preventDefault()}
            className={ITEM}
          >
            <Radix.ItemIndicator>
              <Check size={12} strokeWidth={1.75} aria-hidden />
            </Radix.ItemIndicator>
            {header}
          </Radix.CheckboxItem>
        ))}
        <Radix.Separator className="my-1 h-px bg-line" />
        <Radix.Item className={ITEM} disabled={minWidth === undefined} onSelect={() => choose(null)}>
          Usual columns
        </Radix.Item>
      </MenuContent>
    </Radix.Root>
  );
}
