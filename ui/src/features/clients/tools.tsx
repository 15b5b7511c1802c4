/** The client tools of this machine: whether each one uses the gateway, and how to change that. */
import { Cable, CircleHelp } from "lucide-react";
import { ToolCard, type ToolChange } from "@/features/clients/tool-card";
import { EmptyState } from "@/components/notice/empty-state";
import { LoadingCard } from "@/components/notice/skeleton";
import { Reading } from "@/components/notice/reading";
import type { ClientView, ToolWiringView } from "@/ipc/bindings";
import { useClients, useClientsWiring } from "@/ipc/queries";

interface ToolsProps {
  onChange: (change: ToolChange) => void;
  onOpenClient: (id: string) => void;
}

export function Tools({ onChange, onOpenClient }: ToolsProps) {
  const tools = useClientsWiring();
  const clients = useClients().data ?? [];
  return (
    <section aria-label="Tools on this machine" className="flex flex-col gap-2">
      <h2 className="text-13 font-semibold text-ink-1">Tools on this machine</h2>
      <Reading
        of={tools}
        skeleton={
          <div className="grid gap-3 @min-[760px]:grid-cols-2">
            <LoadingCard label="Loading tools" className="h-[212px]" />
            <LoadingCard label="Loading more tools" className="h-[212px]" />
          </div>
        }
      >
        {(all) => (
          <Found
            tools={all}
            clients={clients}
            onChange={onChange}
            onOpenClient={onOpenClient}
            onCheckAgain={() => void tools.refetch()}
            isChecking={tools.isFetching}
          />
        )}
      </Reading>
    </section>
  );
}

interface FoundProps extends ToolsProps {
  tools: ToolWiringView[];
  clients: ClientView[];
  onCheckAgain: () => void;
  isChecking: boolean;
}

function Found({ tools, clients, onChange, onOpenClient, onCheckAgain, isChecking }: FoundProps) {
  const found = tools.filter(isFound);
  const absent = tools.filter((tool) => !isFound(tool));
  return (
    <>
      {found.length === 0 ? (
        <div className="rounded-card border border-line bg-surface-1">
          <EmptyState icon={Cable} title="No tools found">
            None of the tools that Gatehouse can connect by itself was found on this machine. Add a client below and
            paste one of its snippets instead.
          </EmptyState>
        </div>
      ) : (
        <ul aria-label="Tools" className="grid items-stretch gap-3 @min-[760px]:grid-cols-2">
          {found.map((tool) => (
            <li key={tool.tool} className="min-w-0">
              <ToolCard
                tool={tool}
                client={clients.find(({ id }) => id === tool.client)}
                onChange={onChange}
                onOpenClient={onOpenClient}
                onCheckAgain={onCheckAgain}
                isChecking={isChecking}
              />
            </li>
          ))}
        </ul>
      )}
      {absent.length > 0 && (
        <p className="flex items-center gap-2 text-12 text-ink-3">
          <CircleHelp size={14} strokeWidth={1.5} aria-hidden className="shrink-0" />
          <span>Not found here: {absent.map(({ name }) => name).join(", ")}.</span>
        </p>
      )}
    </>
  );
}

/** A tool that was removed while it was connected still has our keys in its files. */
function isFound({ state }: ToolWiringView): boolean {
  return state !== "not_installed";
}
