/** What was changed, and by what: the window, the command line, agents. */
import { useState } from "react";
import { History } from "lucide-react";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { DataTable, type Column } from "@/components/table/data-table";
import { EmptyState } from "@/components/notice/empty-state";
import { Moment } from "@/components/text/moment";
import { Reading } from "@/components/notice/reading";
import { Select } from "@/components/form/select";
import { SkeletonRows } from "@/components/notice/skeleton";
import { StateBadge } from "@/components/state/state-mark";
import { useAuditLog } from "@/ipc/audit-queries";
import type { AuditEntryView, CallerKind } from "@/ipc/bindings";
import { AUDIT_OUTCOME, CALLER_WORD } from "@/lib/tables";

type Wanted = CallerKind | "all";

const CALLERS = [
  { value: "all" as const, label: "All" },
  ...Object.entries(CALLER_WORD).map(([value, label]) => ({ value: value as CallerKind, label })),
];

const COLUMNS: Column<AuditEntryView>[] = [
  { id: "at", header: "Time", cell: ({ at }) => <Moment at={at} />, width: "120px" },
  {
    id: "caller",
    header: "By",
    cell: (entry) => <span title={callerOf(entry)}>{callerOf(entry)}</span>,
    width: "210px",
  },
  {
    id: "operation",
    header: "Operation",
    cell: ({ operation, operation_label: label }) => <span title={operation}>{label}</span>,
  },
  { id: "subject", header: "On", cell: ({ subject }) => subject ?? "–", from: "640" },
  {
    id: "outcome",
    header: "Outcome",
    cell: ({ outcome }) => <StateBadge sign={AUDIT_OUTCOME[outcome]} />,
    width: "130px",
  },
];

/** An agent is named as it names itself; the client whose token it has was checked. */
function callerOf({ caller, agent, agent_version: version, client, confirmed }: AuditEntryView): string {
  const named = agent === null ? "" : `: ${version === null ? agent : `${agent} ${version}`}`;
  const known = [
    client !== null && `token of ${client}`,
    confirmed !== null && (confirmed ? "confirmed" : "not confirmed"),
  ].filter((text) => text !== false);
  return `${CALLER_WORD[caller]}${named}${known.length === 0 ? "" : ` (${known.join(", ")})`}`;
}

export function AuditPart() {
  const [caller, setCaller] = useState<Wanted>("all");
  return (
    <Card
      title="Audit log"
      note="What was changed, and by what"
      flush
      action={<Select aria-label="Changes by" options={CALLERS} value={caller} onChange={setCaller} className="w-44" />}
    >
      <AuditEntries
        label="Changes"
        caller={caller === "all" ? null : caller}
        empty={
          caller === "all"
            ? "Each change by this panel, the command line or an agent will be listed here, without keys or prompts."
            : "Nothing was changed from there."
        }
      />
    </Card>
  );
}

interface AuditEntriesProps {
  label: string;
  /** Only calls from there. */
  caller: CallerKind | null;
  /** Says what will be listed, while nothing is. */
  empty: string;
}

export function AuditEntries({ label, caller, empty }: AuditEntriesProps) {
  const log = useAuditLog(caller);
  return (
    <Reading of={log} skeleton={<SkeletonRows rows={5} label="Loading audit log" />}>
      {(data) => (
        <DataTable
          label={label}
          columns={COLUMNS}
          rows={data.pages.flatMap((page) => page.entries)}
          rowId={({ number }) => String(number)}
          className="max-h-96"
          empty={
            <EmptyState icon={History} title="No changes recorded">
              {empty}
            </EmptyState>
          }
          after={
            log.hasNextPage && (
              <Button look="quiet" busy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
                Show older
              </Button>
            )
          }
        />
      )}
    </Reading>
  );
}
