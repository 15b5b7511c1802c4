/** The coding tools on this machine, and whether they use the gateway. */
import { StateBadge } from "@/components/state-mark";
import { useClientsWiring } from "@/ipc/queries";
import { WIRING } from "@/lib/tables";

export function ToolsList() {
  const tools = useClientsWiring().data?.filter((tool) => tool.state !== "not_installed") ?? [];
  if (tools.length === 0) return null;
  return (
    <ul aria-label="Tools on this machine" className="flex flex-col rounded-card border border-line">
      {tools.map((tool) => (
        <li key={tool.tool} className="flex items-center gap-4 border-b border-line px-4 py-2.5 last:border-0">
          <span className="w-32 shrink-0 truncate font-medium text-ink-1">{tool.name}</span>
          <StateBadge sign={WIRING[tool.state]} />
          <span className="truncate text-12 text-ink-3">{tool.sentence}</span>
        </li>
      ))}
    </ul>
  );
}
