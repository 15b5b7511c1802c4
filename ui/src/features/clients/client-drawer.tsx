/** One client: how to use its token, its limits, and revoking it. */
import { Ban, CircleCheck, ScrollText, Trash2 } from "lucide-react";
import { useState } from "react";
import { programText, useClientBlock } from "@/features/clients/client-actions";
import { ClientSettings } from "@/features/clients/client-settings";
import { ClientTargetSelect } from "@/features/clients/client-target";
import { Button } from "@/components/button/button";
import { Confirm } from "@/components/overlay/confirm";
import { useContextualActions } from "@/components/menu/contextual-actions";
import { CodeBlock } from "@/components/button/copy-button";
import { Drawer } from "@/components/overlay/dialog";
import { Facts } from "@/components/text/facts";
import { Menu, type MenuEntry } from "@/components/menu/menu";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { Spend } from "@/components/text/spend";
import { StateBadge } from "@/components/state/state-mark";
import { Tabs } from "@/components/layout/tabs";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ClientView } from "@/ipc/bindings";
import { formatCounted } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";
import { CLIENT } from "@/lib/tables";

export function ClientDrawer({ client, onClose }: { client: ClientView | undefined; onClose: () => void }) {
  const [isRevoking, setRevoking] = useState(false);
  const revoke = useAction("clientRevoke", (call, id: string) => call({ id }));
  const { mutate: restore } = useAction("clientRestore", (call, id: string) => call({ id }));
  if (client === undefined) return null;
  return (
    <>
      <Drawer
        open
        onClose={onClose}
        title={client.id}
        description={<StateBadge sign={CLIENT[client.state]} />}
        actions={<ClientActions client={client} onRevoke={() => setRevoking(true)} />}
      >
        <Tabs
          key={client.id}
          label={`About ${client.id}`}
          tabs={[
            { id: "use", label: "Setup", content: <ClientUse client={client} /> },
            // One that reads metrics sends nothing that could be limited.
            ...(client.reads_metrics
              ? []
              : [{ id: "limits", label: "Limits", content: <ClientSettings client={client} /> }]),
          ]}
        />
      </Drawer>
      <Confirm
        open={isRevoking}
        title={`Revoke ${client.id}'s token?`}
        losses={[
          `Requests from ${client.id} are refused immediately.`,
          "Within ten minutes this can be undone. After that, connecting the client again creates a new token.",
          ...budgetLosses(client),
          "Its past requests and costs stay in the ledger.",
        ]}
        verb="Revoke token"
        busy={revoke.isPending}
        error={revoke.error}
        onClose={() => setRevoking(false)}
        onConfirm={() =>
          revoke.mutate(client.id, {
            onSuccess: ({ id, budget }) => {
              onClose();
              notify({
                title: `Revoked ${id}'s token`,
                detail: [
                  budget === null ? "" : `Its budget ${budget} ended with it. `,
                  `For ten minutes also: gatehouse clients restore ${id}`,
                ].join(""),
                undo: () => restore(id, { onError: notifyError }),
              });
            },
          })
        }
      />
    </>
  );
}

function budgetLosses({ own_budget: own, other_budgets: others }: ClientView): string[] {
  return [
    ...(own === null ? [] : [`The budget ${own} of its requests, which has its name, ends too.`]),
    ...(others.length === 0 ? [] : [`Other budgets for its requests stay: ${others.join(", ")}.`]),
  ];
}

function ClientActions({ client, onRevoke }: { client: ClientView; onRevoke: () => void }) {
  const { id } = client;
  const revoke: MenuEntry = { label: "Revoke token", icon: Trash2, danger: true, onChoose: onRevoke };
  // The palette finds the block and the switches from everywhere.
  useContextualActions({
    kind: "Client",
    id,
    name: id,
    isOpen: true,
    actions: [{ label: "Show requests", icon: ScrollText, path: requestsPath({ client: id, within: "30d" }) }, revoke],
  });
  return (
    <>
      <BlockButton client={client} />
      <Menu label="More for this client" entries={[revoke]} />
    </>
  );
}

/** Undone from its toast, so it does not ask first. */
function BlockButton({ client: { id, blocked } }: { client: ClientView }) {
  const change = useClientBlock();
  return (
    <Button size="small" icon={blocked ? CircleCheck : Ban} onClick={() => change(id, !blocked)}>
      {blocked ? "Allow" : "Block"}
    </Button>
  );
}

function ClientUse({ client }: { client: ClientView }) {
  return (
    <div className="flex flex-col gap-4">
      <Facts
        facts={[
          ...(client.reads_metrics ? [{ name: "For", value: "Reads /metrics, and nothing else" }] : []),
          ...(client.targets.length > 1
            ? [{ name: "Requests go to", value: <ClientTargetSelect client={client} /> }]
            : []),
          { name: "Added", value: <Moment at={client.created_at} focusable /> },
          ...(client.refused === null
            ? []
            : [
                {
                  name: "Refused",
                  value: (
                    <>
                      {formatCounted(client.refused.count, "request", "requests")}, last{" "}
                      <Moment at={client.refused.last_at} focusable />
                    </>
                  ),
                },
              ]),
          {
            name: "Last used",
            value: client.seen_at === null ? "never" : <Moment at={client.seen_at} focusable />,
          },
          { name: "Program", value: programText(client) },
          ...(client.project === null ? [] : [{ name: "Project", value: client.project }]),
          {
            name: "Expires",
            value: client.expires_at === null ? "never" : <Moment at={client.expires_at} focusable />,
          },
          {
            name: "30 days",
            value: (
              <>
                <Spend spend={client.last_month} /> for{" "}
                <PanelLink path={requestsPath({ client: client.id, within: "30d" })}>
                  {formatCounted(client.last_month.requests, "request", "requests")}
                </PanelLink>
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
