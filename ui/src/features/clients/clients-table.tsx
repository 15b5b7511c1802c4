/** The tools that may call the gateway, each with its own token. */
import { Link2, Plus } from "lucide-react";
import { currentTarget, targetLabel } from "@/features/clients/client-actions";
import { Button } from "@/components/button/button";
import { DataTable, type Column } from "@/components/table/data-table";
import { EmptyState } from "@/components/notice/empty-state";
import { Gone } from "@/components/notice/gone";
import { lazyOverlay } from "@/components/overlay/lazy";
import { Moment } from "@/components/text/moment";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { Spend } from "@/components/text/spend";
import { spendValue } from "@/lib/cost-sum";
import { StateBadge, TONE_TEXT } from "@/components/state/state-mark";
import type { ClientView } from "@/ipc/bindings";
import { useClients } from "@/ipc/queries";
import { matchesFilter } from "@/lib/filter";
import { formatCount } from "@/lib/quantity";
import { CLIENT } from "@/lib/tables";

const ClientDrawer = lazyOverlay(
  async () => (await import("@/features/clients/client-drawer")).ClientDrawer,
  ({ client }) => client !== undefined,
);

interface ClientsTableProps {
  filter: string;
  openId: string | null;
  onOpen: (id: string) => void;
  onAdd: () => void;
  onClose: () => void;
}

const COLUMNS: Column<ClientView>[] = [
  {
    id: "id",
    header: "Client",
    value: (client) => client.id,
    cell: (client) => <span className="font-medium text-ink-1">{client.id}</span>,
  },
  {
    id: "state",
    header: "State",
    width: "132px",
    value: (client) => CLIENT[client.state].word,
    cell: (client) => <StateBadge sign={CLIENT[client.state]} />,
  },
  {
    id: "target",
    header: "Requests go to",
    width: "168px",
    from: "800",
    value: (client) => currentTarget(client)?.label ?? null,
    cell: (client) => {
      const target = currentTarget(client);
      return target === undefined ? null : (
        <span className={target.unavailable === null ? "text-ink-2" : TONE_TEXT.warn}>{targetLabel(target)}</span>
      );
    },
  },
  {
    id: "seen",
    header: "Last used",
    width: "128px",
    numeric: true,
    value: (client) => client.seen_at,
    cell: (client) => (
      <span className="text-ink-2">{client.seen_at === null ? "never" : <Moment at={client.seen_at} />}</span>
    ),
  },
  {
    id: "ends",
    header: "Expires",
    width: "128px",
    numeric: true,
    from: "640",
    value: (client) => client.expires_at,
    cell: (client) => (
      <span className="text-ink-2">{client.expires_at === null ? "never" : <Moment at={client.expires_at} />}</span>
    ),
  },
  {
    id: "requests",
    header: "Requests",
    width: "104px",
    numeric: true,
    from: "800",
    value: (client) => client.last_month.requests,
    cell: (client) => formatCount(client.last_month.requests),
  },
  {
    id: "spend",
    header: "Spend 30 days",
    width: "140px",
    numeric: true,
    value: (client) => spendValue(client.last_month),
    cell: (client) => <Spend spend={client.last_month} />,
  },
];

export function ClientsTable({ filter, openId, onOpen, onAdd, onClose }: ClientsTableProps) {
  const clients = useClients();
  const open = clients.data?.find((client) => client.id === openId);
  return (
    <>
      <Reading
        of={clients}
        skeleton={
          <div className="rounded-card border border-line bg-surface-1">
            <SkeletonRows rows={4} label="Loading clients" />
          </div>
        }
      >
        {(all) => (
          <DataTable
            label="Clients"
            className="min-h-0"
            columns={COLUMNS}
            rows={all.filter((client) => matchesFilter(filter, [client.id, CLIENT[client.state].word]))}
            rowId={(client) => client.id}
            onOpen={(client) => onOpen(client.id)}
            empty={
              all.length > 0 ? (
                <EmptyState icon={Link2} title="No matching clients">
                  Nothing matches by name or state.
                </EmptyState>
              ) : (
                <EmptyState
                  icon={Link2}
                  title="No clients yet"
                  action={
                    <Button icon={Plus} onClick={onAdd}>
                      Add your first client
                    </Button>
                  }
                >
                  Each tool gets its own token, so you can see what it costs and revoke it on its own.
                </EmptyState>
              )
            }
          />
        )}
      </Reading>
      {openId !== null && clients.data !== undefined && open === undefined && (
        <Gone what="client" id={openId} onDismiss={onClose} />
      )}
      <ClientDrawer client={open} onClose={onClose} />
    </>
  );
}
