/** What agents may do over MCP, the programs whose agents have our server, and what agents did. */
import { AgentPrograms } from "@/features/settings/agent-programs";
import { AuditEntries } from "@/features/settings/audit-part";
import { useSettingsChange } from "@/features/settings/desktop-parts";
import { labelOf } from "@/features/settings/setting-fields";
import { SettingRow } from "@/features/settings/setting-row";
import { Card } from "@/components/layout/card";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { Switch } from "@/components/form/switch";
import { useAgentAccess } from "@/ipc/agent-queries";
import type { AgentHttpView, AgentPermissionView, AgentToolView, SettingsView } from "@/ipc/bindings";
import { formatCounted } from "@/lib/quantity";

/** The settings that allow agents something. */
type McpKey = "mcp_checks" | "mcp_spend" | "mcp_change" | "mcp_http";

export function AgentsPart({ settings }: { settings: SettingsView }) {
  const access = useAgentAccess();
  return (
    <>
      <Card title="Agents" note="What they may do over MCP. No tool returns a key or a prompt." flush>
        <Reading of={access} skeleton={<SkeletonRows rows={5} label="Loading permissions" />}>
          {(data) => (
            <>
              {data.permissions.map((permission) => (
                <Permission key={permission.permission} permission={permission} settings={settings} />
              ))}
              <Http http={data.http} settings={settings} />
            </>
          )}
        </Reading>
      </Card>
      <AgentPrograms />
      <Card title="Calls of agents" note="What they changed, and what was refused" flush>
        <AuditEntries
          label="Calls of agents"
          caller="mcp"
          empty="What agents change, and what is refused to them, will be listed here, without keys or prompts."
        />
      </Card>
    </>
  );
}

function Permission({ permission, settings }: { permission: AgentPermissionView; settings: SettingsView }) {
  const key = permission.setting as McpKey | null;
  return (
    <div className="border-b border-line last:border-b-0 [&>div]:border-b-0">
      <SettingRow
        label={key === null ? "Read" : labelOf(key)}
        detail={`${permission.meaning}.`}
        changed={key !== null && settings.values[key] !== settings.defaults[key]}
      >
        {key === null ? (
          <span className="text-12 text-ink-2">Always allowed</span>
        ) : (
          <McpSwitch setting={key} settings={settings} />
        )}
      </SettingRow>
      <ToolList tools={permission.tools} />
    </div>
  );
}

function McpSwitch({ setting, settings }: { setting: McpKey; settings: SettingsView }) {
  const change = useSettingsChange(settings);
  return (
    <Switch
      label={labelOf(setting)}
      checked={settings.values[setting]}
      disabled={!settings.valid}
      onChange={(isAllowed) => change({ [setting]: isAllowed })}
    />
  );
}

function ToolList({ tools }: { tools: AgentToolView[] }) {
  return (
    <details className="group px-4 pb-2.5">
      <DisclosureSummary className="rounded-control text-12 text-ink-2">
        {formatCounted(tools.length, "tool", "tools")}
      </DisclosureSummary>
      <dl className="mt-2 grid gap-x-4 gap-y-1.5 pl-[22px] text-12 @min-[640px]:grid-cols-[176px_minmax(0,1fr)]">
        {tools.map((tool) => (
          <div key={tool.name} className="contents">
            <dt className="font-mono text-11 leading-[18px] text-ink-1">{tool.name}</dt>
            <dd className="text-pretty text-ink-2">{tool.description}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Http({ http, settings }: { http: AgentHttpView; settings: SettingsView }) {
  return (
    <SettingRow
      label={labelOf("mcp_http")}
      detail={httpSentence(http)}
      changed={settings.values.mcp_http !== settings.defaults.mcp_http}
    >
      <McpSwitch setting="mcp_http" settings={settings} />
    </SettingRow>
  );
}

/** Which address, and whose token opens it. */
function httpSentence({ is_served: isServed, address, clients }: AgentHttpView): string {
  if (!isServed) return "Off. Programs on this machine start the server themselves and do not need it.";
  if (clients.length === 0) return `${address}, which no client may use yet. Allow one on the Clients screen.`;
  return `${address}, for ${clients.join(", ")}.`;
}
