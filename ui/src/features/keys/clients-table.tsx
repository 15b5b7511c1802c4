/** The tools that may call the gateway, each with its own token. */
import { Link2, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { ClientSettings } from "@/features/keys/client-settings";
import type { TableProps } from "@/features/keys/keys-table";
import { Button } from "@/components/button";
import { Confirm } from "@/components/confirm";
import { CodeBlock } from "@/components/copy-button";
import { DataTable, type Column } from "@/components/data-table";
import { Drawer } from "@/components/dialog";
import { EmptyState } from "@/components/empty-state";
import { Gone } from "@/components/gone";
import { Facts } from "@/components/facts";
import { Menu } from "@/components/menu";
import { Moment } from "@/components/moment";
import { Reading } from "@/components/reading";
import { SkeletonRows } from "@/components/skeleton";
import { Spend, spendValue } from "@/components/spend";
import { StateBadge } from "@/components/state-mark";
import { Tabs } from "@/components/tabs";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { ClientView } from "@/ipc/bindings";
import { useClients } from "@/ipc/queries";
import { matchesFilter } from "@/lib/filter";
import { formatCount, formatCounted } from "@/lib/quantity";
import type { Sign } from "@/lib/tables";

function signOf(client: ClientView): Sign {
  if (client.expired) return { word: "Expired", shape: "square", tone: "warn" };
  return client.seen_at === null
    ? { word: "Never used", shape: "ring", tone: "muted" }
    : { word: "Connected", shape: "disc", tone: "ok" };
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
    value: (client) => signOf(client).word,
    cell: (client) => <StateBadge sign={signOf(client)} />,
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

export function ClientsTable({ filter, openId, onOpen, onAdd, onClose }: TableProps) {
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
            rows={all.filter((client) => matchesFilter(filter, [client.id, signOf(client).word]))}
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
                      Connect your first client
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

function ClientDrawer({ client, onClose }: { client: ClientView | undefined; onClose: () => void }) {
  const [isRevoking, setRevoking] = useState(false);
  const revoke = useAction("clientRevoke", (call, id: string) => call({ id }));
  if (client === undefined) return null;
  return (
    <>
      <Drawer
        open
        onClose={onClose}
        title={client.id}
        description={<StateBadge sign={signOf(client)} />}
        actions={
          <Menu
            label="More for this client"
            entries={[{ label: "Revoke token", icon: Trash2, danger: true, onChoose: () => setRevoking(true) }]}
          />
        }
      >
        <Tabs
          key={client.id}
          label={`About ${client.id}`}
          tabs={[
            { id: "use", label: "Setup", content: <ClientUse client={client} /> },
            { id: "limits", label: "Limits", content: <ClientSettings client={client} /> },
          ]}
        />
      </Drawer>
      <Confirm
        open={isRevoking}
        title={`Revoke ${client.id}'s token?`}
        losses={[
          `$Requests from {client.id} are refused immediately.`,
          "The token cannot be restored. Connecting the client again creates a new one.",
          "Its past requests and costs stay in the ledger.",
        ]}
        verb="Revoke token"
        busy={revoke.isPending}
        error={revoke.error}
        onClose={() => setRevoking(false)}
        onConfirm={() =>
          revoke.mutate(client.id, {
            onSuccess: () => {
              onClose();
              notify({ title: `Revoked ${client.id}'s token` });
            },
          })
        }
      />
    </>
  );
}

function ClientUse({ client }: { client: ClientView }) {
  return (
    <div className="flex flex-col gap-4">
      <Facts
        facts={[
          { name: "Connected", value: <Moment at={client.created_at} focusable /> },
          {
            name: "Last used",
            value: client.seen_at === null ? "never" : <Moment at={client.seen_at} focusable />,
          },
          {
            name: "Expires",
            value: client.expires_at === null ? "never" : <Moment at={client.expires_at} focusable />,
          },
          {
            name: "30 days",
            value: (
              <>
                <Spend spend={client.last_month} /> for{" "}
                {formatCounted(client.last_month.requests, "request", "requests")}
              </>
            ),
          },
        ]}
      />
      <section aria-label="Setup" className="flex flex-col gap-3 border-t border-line pt-4">
        <div>
          <h3 className="font-semibold">Setup</h3>
          <p className="text-12 text-ink-2">Snippets fetch the token at run time, so it's never written to a file.</p>
        </div>
        {client.snippets.map((snippet) => (
          <CodeBlock key={snippet.title} title={snippet.title} code={snippet.code} />
        ))}
      </section>
    </div>
  );
}
