/** The locations of Gatehouse's files. */
import { Card } from "@/components/layout/card";
import { CopyButton } from "@/components/button/copy-button";
import { Facts } from "@/components/text/facts";
import type { SettingsView } from "@/ipc/bindings";
import { formatBytes } from "@/lib/quantity";

export function FilePart({ settings: { path, folders } }: { settings: SettingsView }) {
  return (
    <Card title="Files">
      <Facts
        facts={[
          { name: "Settings file", value: <Place path={path} /> },
          { name: "Ledger and vault", value: <Place path={folders.data} /> },
          { name: "Logs", value: <Place path={folders.state} /> },
          { name: "Ledger size", value: formatBytes(folders.ledger_bytes) },
        ]}
      />
    </Card>
  );
}

function Place({ path }: { path: string }) {
  return (
    <span className="flex items-center gap-2">
      <code className="min-w-0 font-mono text-12 [overflow-wrap:anywhere]">{path}</code>
      <CopyButton text={path} />
    </span>
  );
}
