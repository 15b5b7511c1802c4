/** Alerts that fired, newest first. */
import { History } from "lucide-react";
import { AlertsPage } from "@/features/alerts/alerts-page";
import { Button } from "@/components/button/button";
import { DataTable, type Column } from "@/components/table/data-table";
import { EmptyState } from "@/components/notice/empty-state";
import { Moment } from "@/components/text/moment";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { StateBadge } from "@/components/state/state-mark";
import { useInbox } from "@/ipc/alert-queries";
import { signOfEntry } from "@/features/alerts/alert-sign";
import type { InboxEntryView } from "@/ipc/bindings";
import { formatSpan } from "@/lib/time";

const COLUMNS: Column<InboxEntryView>[] = [
  {
    id: "title",
    header: "Alert",
    value: (alert) => alert.title,
    cell: (alert) => (
      <span className="truncate font-medium text-ink-1" title={alert.detail}>
        {alert.title}
      </span>
    ),
  },
  {
    id: "state",
    header: "State",
    width: "132px",
    value: (alert) => signOfEntry(alert).word,
    cell: (alert) => <StateBadge sign={signOfEntry(alert)} />,
  },
  {
    id: "scopes",
    header: "About",
    width: "180px",
    from: "640",
    value: (alert) => alert.scopes.join(", "),
    cell: (alert) => <span className="truncate text-ink-2">{alert.scopes.join(", ")}</span>,
  },
  {
    id: "lasted",
    header: "Lasted",
    numeric: true,
    width: "104px",
    value: lastedMs,
    cell: (alert) => {
      const lasted = lastedMs(alert);
      return lasted === null ? <span className="text-ink-3">still firing</span> : formatSpan(lasted);
    },
  },
  {
    id: "notified",
    header: "Notified",
    numeric: true,
    width: "96px",
    from: "800",
    value: (alert) => alert.notified_at,
    cell: (alert) => <span className="text-ink-2">{alert.notified_at === null ? "no" : "yes"}</span>,
  },
  {
    id: "fired",
    header: "Fired",
    numeric: true,
    width: "112px",
    value: (alert) => alert.fired_at,
    cell: (alert) => (
      <span className="text-ink-2">
        <Moment at={alert.fired_at} />
      </span>
    ),
  },
];

function lastedMs({ since, ended_at: ended }: InboxEntryView): number | null {
  return ended === null ? null : ended - since;
}

export function HistoryScreen({ onOpen }: { onOpen: (number: number) => void }) {
  const history = useInbox();
  return (
    <AlertsPage current="history">
      <Reading
        of={history}
        skeleton={
          <div className="rounded-card border border-line bg-surface-1">
            <SkeletonRows rows={8} label="Loading history" />
          </div>
        }
      >
        {(data) => (
          <DataTable
            label="Alerts that fired"
            columns={COLUMNS}
            rows={data.pages.flatMap((page) => page.entries)}
            rowId={(alert) => String(alert.number)}
            onOpen={(alert) => onOpen(alert.number)}
            empty={
              <EmptyState icon={History} title="No alert has fired yet">
                Each one will be listed here with its time line.
              </EmptyState>
            }
            after={
              history.hasNextPage && (
                <div className="border-t border-line px-2 py-1">
                  <Button
                    size="small"
                    look="quiet"
                    busy={history.isFetchingNextPage}
                    onClick={() => void history.fetchNextPage()}
                  >
                    Show older
                  </Button>
                </div>
              )
            }
          />
        )}
      </Reading>
    </AlertsPage>
  );
}
