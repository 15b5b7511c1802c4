/** Every key: its state, allowed host, users and cost. */
import { KeyRound, Plus } from "lucide-react";
import { KeyDrawer } from "@/features/keys/key-drawer";
import { inUseSince, unusedWord } from "@/features/keys/key-times";
import { Button } from "@/components/button/button";
import { DataTable, type Column } from "@/components/table/data-table";
import { EmptyState } from "@/components/notice/empty-state";
import { Gone } from "@/components/notice/gone";
import { Moment } from "@/components/text/moment";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { Spend } from "@/components/text/spend";
import { spendValue } from "@/lib/cost-sum";
import { StateBadge } from "@/components/state/state-mark";
import type { KeyView } from "@/ipc/bindings";
import { useKeys } from "@/ipc/queries";
import { useNow } from "@/lib/clock";
import { matchesFilter } from "@/lib/filter";
import { KEY, KEY_NOTICE } from "@/lib/tables";
import { formatExact, formatSpan } from "@/lib/time";

interface KeysTableProps {
  filter: string;
  openId: string | null;
  onOpen: (id: string) => void;
  onAdd: () => void;
  onClose: () => void;
}

/** Shortens `https://api.openai.com:443` to the usual form. */
export function shortOrigin(origin: string): string {
  return origin.replace(/^https:\/\//, "").replace(/:443$/, "");
}

function usersOf({ used_by: backends, dependents }: KeyView): string[] {
  return [...backends, ...dependents.services];
}

/** A time sorts by how long ago it is. */
const negated = (moment: number | null) => (moment === null ? null : -moment);

/** How long the present secret has been in use. */
function Age({ since }: { since: number | null }) {
  const now = useNow();
  if (since === null) return <span className="text-ink-3">not known</span>;
  return (
    <time dateTime={new Date(since).toISOString()} title={formatExact(since)} className="text-ink-2">
      {formatSpan(Math.max(0, now - since))}
    </time>
  );
}

function Unused({ of }: { of: KeyView }) {
  return <span className="text-ink-3">{unusedWord(of, useNow())}</span>;
}

const COLUMNS: Column<KeyView>[] = [
  {
    id: "label",
    header: "Name",
    width: "20%",
    value: (key) => key.label,
    cell: (key) => (
      <span className="flex min-w-0 items-center gap-2">
        <span className="truncate font-medium text-ink-1">{key.label}</span>
        {key.notices.slice(0, 1).map(({ notice, sentence }) => (
          <span key={notice} className="shrink-0 text-12" title={sentence}>
            <StateBadge sign={KEY_NOTICE[notice]} />
          </span>
        ))}
      </span>
    ),
  },
  {
    id: "tail",
    header: "Ends in",
    width: "76px",
    from: "1000",
    cell: (key) => <span className="font-mono text-12 text-ink-2">{key.tail === null ? "–" : `…${key.tail}`}</span>,
  },
  {
    id: "state",
    header: "State",
    width: "108px",
    value: (key) => key.state,
    cell: (key) => (
      <span title={key.reason ?? undefined}>
        <StateBadge sign={KEY[key.state]} />
      </span>
    ),
  },
  {
    id: "origin",
    header: "Allowed host",
    from: "1100",
    value: (key) => key.origin,
    cell: (key) =>
      key.origin === null ? (
        <span className="text-ink-3">any, until first use</span>
      ) : (
        <span className="font-mono text-12 text-ink-2" title={key.origin}>
          {shortOrigin(key.origin)}
        </span>
      ),
  },
  {
    id: "used",
    header: "Used by",
    value: (key) => usersOf(key).length,
    cell: (key) => {
      const users = usersOf(key);
      return users.length === 0 ? <span className="text-ink-3">not used</span> : users.join(", ");
    },
  },
  {
    id: "age",
    header: "Age",
    width: "84px",
    numeric: true,
    from: "640",
    value: (key) => negated(inUseSince(key)),
    cell: (key) => <Age since={inUseSince(key)} />,
  },
  {
    id: "seen",
    header: "Last used",
    width: "112px",
    numeric: true,
    from: "640",
    value: (key) => key.used_at,
    cell: (key) =>
      key.used_at === null ? (
        <Unused of={key} />
      ) : (
        <span className="text-ink-2">
          <Moment at={key.used_at} />
        </span>
      ),
  },
  {
    id: "expires",
    header: "Expires",
    width: "100px",
    numeric: true,
    from: "640",
    value: (key) => key.expires_at,
    cell: (key) =>
      key.expires_at === null ? (
        <span className="text-ink-3">not known</span>
      ) : (
        <span className="text-ink-2">
          <Moment at={key.expires_at} />
        </span>
      ),
  },
  {
    id: "spend",
    header: "Spend 30 days",
    width: "132px",
    numeric: true,
    value: (key) => spendValue(key.last_month),
    cell: (key) => <Spend spend={key.last_month} />,
  },
];

/** Shown once a provider says what is left behind a key; most say nothing. Sorted by how long it lasts. */
const BALANCE: Column<KeyView> = {
  id: "balance",
  header: "Balance",
  width: "96px",
  numeric: true,
  from: "1100",
  value: ({ balance }) => (balance?.is_used_up ? 0 : (balance?.days_left ?? null)),
  cell: ({ balance }) => (
    <span className={balance?.left ? "text-ink-2" : "text-ink-3"} title={balance?.sentence}>
      {balance?.left ?? "–"}
    </span>
  ),
};

export function KeysTable({ filter, openId, onOpen, onAdd, onClose }: KeysTableProps) {
  const keys = useKeys();
  const open = keys.data?.find((key) => key.id === openId);
  return (
    <>
      <Reading
        of={keys}
        skeleton={
          <div className="rounded-card border border-line bg-surface-1">
            <SkeletonRows rows={5} label="Loading keys" />
          </div>
        }
      >
        {(all) => (
          <DataTable
            label="Keys"
            className="min-h-0"
            columns={all.some((key) => key.balance !== null) ? [...COLUMNS, BALANCE] : COLUMNS}
            rows={all.filter((key) =>
              matchesFilter(filter, [
                key.id,
                key.label,
                key.origin,
                KEY[key.state].word,
                ...key.notices.map(({ notice }) => KEY_NOTICE[notice].word),
                ...key.used_by,
              ]),
            )}
            rowId={(key) => key.id}
            onOpen={(key) => onOpen(key.id)}
            empty={
              all.length > 0 ? (
                <EmptyState icon={KeyRound} title="No matching keys">
                  Nothing matches by name, host, state or backend.
                </EmptyState>
              ) : (
                <EmptyState
                  icon={KeyRound}
                  title="No API keys yet"
                  action={
                    <Button icon={Plus} onClick={onAdd}>
                      Add a key
                    </Button>
                  }
                >
                  Keys are stored in the vault only. Gatehouse uses them for you and never shows them again.
                </EmptyState>
              )
            }
          />
        )}
      </Reading>
      {openId !== null && keys.data !== undefined && open === undefined && (
        <Gone what="key" id={openId} onDismiss={onClose} />
      )}
      <KeyDrawer stored={open} onClose={onClose} />
    </>
  );
}
