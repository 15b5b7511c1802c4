/** The fake core's agents: what they may do, and the programs that have the MCP server. */
import type {
  AgentPermission,
  AgentPermissionView,
  AgentProgram,
  AgentProgramView,
  WiredKeyChangeView,
  WiringPlanView,
} from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise } from "@/ipc/fake/rules";
import type { Host } from "@/ipc/host";

type AgentOperation = "agentAccess" | "agentPrograms" | "agentProgramPlan" | "agentProgramAdd" | "agentProgramRemove";

type McpKey = "mcp_checks" | "mcp_spend" | "mcp_change";

/** Permission, its setting, meaning, and tools with what each does. */
const PERMISSIONS: [AgentPermission, McpKey | null, string, [string, string][]][] = [
  [
    "read",
    null,
    "Status, usage, routes, prices and records of requests. Always allowed",
    [
      ["status", "Returns the verdict, the gateway, the vault, counts and spend."],
      ["list_backends", "Lists all backends, the built-in mock first."],
      ["usage_summary", "Returns requests, tokens and costs, in groups and over time."],
      ["explain_route", "Explains which backend a request would go to, and why."],
    ],
  ],
  ["checks", "mcp_checks", "Readiness checks. Nothing is billed", [["run_checks", "Starts a readiness run."]]],
  ["spend", "mcp_spend", "Prompts to backends, which cost money", [["ask", "Sends a prompt through the gateway."]]],
  [
    "change",
    "mcp_change",
    "Changes of backends, routes and the cache",
    [
      ["switch_backend", "Switches a backend on or off."],
      ["reset_endpoint", "Resets what is known of a backend's failures."],
      ["purge_cache", "Removes answers from the cache."],
    ],
  ],
];

interface FakeProgram {
  tool: AgentProgram;
  name: string;
  version: string | null;
  file: string;
  isFound: boolean;
  isAdded: boolean;
  drift: WiredKeyChangeView[];
}

function madePrograms({ scenario }: Doing["world"]): FakeProgram[] {
  const isFound = scenario !== "fresh";
  const program = (tool: AgentProgram, name: string, version: string | null, file: string): FakeProgram => ({
    tool,
    name,
    version,
    file,
    isFound,
    isAdded: false,
    drift: [],
  });
  const claude = program("claude-code", "Claude Code", "2.1.4", "/home/ada/.claude.json");
  claude.isAdded = isFound;
  if (scenario === "failing")
    claude.drift = [
      {
        file: claude.file,
        key: "mcpServers.gatehouse",
        expected: '{"type":"stdio","command":"/usr/bin/gatehouse","args":["mcp"]}',
        found: null,
      },
    ];
  return [
    claude,
    program("codex", "Codex CLI", "0.98.0", "/home/ada/.codex/config.toml"),
    program("claude-desktop", "Claude Desktop", null, "/home/ada/.config/Claude/claude_desktop_config.json"),
    { ...program("gemini-cli", "Gemini CLI", null, "/home/ada/.gemini/settings.json"), isFound: false },
  ];
}

function viewOf({ tool, name, version, file, isFound, isAdded, drift }: FakeProgram): AgentProgramView {
  const [state, sentence]: [AgentProgramView["state"], string] = !isFound
    ? ["not_installed", `${name} was not found on this machine.`]
    : !isAdded
      ? ["not_wired", `Agents of ${name} do not know Gatehouse.`]
      : drift.length > 0
        ? ["drifted", `mcpServers.gatehouse in ${file} was changed since ${name} was connected.`]
        : ["wired", `Agents of ${name} start \`gatehouse mcp\`.`];
  const cause = state === "drifted" ? "changed_keys" : null;
  return { tool, name, state, cause, sentence, version: isFound ? version : null, files: [file], drift, conflicts: [] };
}

function planOf({ tool, file, isAdded, drift }: FakeProgram, undo: boolean): WiringPlanView {
  const entry =
    tool === "codex"
      ? ["[mcp_servers.gatehouse]", 'command = "/usr/bin/gatehouse"', 'args = ["mcp"]']
      : [
          '  "mcpServers": {',
          '    "gatehouse": {',
          '      "command": "/usr/bin/gatehouse",',
          '      "args": ["mcp"]',
          "    }",
          "  }",
        ];
  const lines = ["@@ -1,2 +1,6 @@", ...entry.map((line) => `${undo ? "-" : "+"}${line}`)];
  return {
    files: [{ path: file, creates: false, removes: false, diff: [`--- ${file}`, `+++ ${file}`, ...lines].join("\n") }],
    changes: drift,
    conflicts: [],
    fingerprint: `${tool}-${undo}-${isAdded}`,
  };
}

export function fakeAgents({ world, answer, changed }: Doing): Pick<Host, AgentOperation> {
  const programs = madePrograms(world);
  const find = (tool: AgentProgram) =>
    programs.find((one) => one.tool === tool && one.isFound) ??
    raise(fault("not_found", `${tool} was not found on this machine`, null));
  const values = () => world.settings.values;
  const permissionView = ([
    permission,
    setting,
    meaning,
    tools,
  ]: (typeof PERMISSIONS)[number]): AgentPermissionView => ({
    permission,
    meaning,
    setting,
    is_allowed: setting === null || values()[setting],
    tools: tools.map(([name, description]) => ({ name, label: name.replaceAll("_", " "), description })),
  });
  return {
    agentAccess: () =>
      answer(() => ({
        permissions: PERMISSIONS.map(permissionView),
        http: {
          is_served: values().mcp_http,
          address: `http://127.0.0.1:${values().gateway_port}/mcp`,
          clients: world.clients.filter(({ mcp }) => mcp).map(({ id }) => id),
        },
      })),
    agentPrograms: () => answer(() => programs.map(viewOf)),
    agentProgramPlan: ({ tool, undo }) => answer(() => planOf(find(tool), undo)),
    agentProgramAdd: ({ tool, fingerprint }) =>
      answer(() => {
        const found = find(tool);
        if (typeof fingerprint === "string" && fingerprint !== planOf(found, false).fingerprint)
          throw fault("failed", `${found.file} changed in the meantime; look at the plan again`, null);
        Object.assign(found, { isAdded: true, drift: [] });
        changed("clients");
        return viewOf(found);
      }),
    agentProgramRemove: ({ tool }) =>
      answer(() => {
        const found = find(tool);
        Object.assign(found, { isAdded: false, drift: [] });
        changed("clients");
        return viewOf(found);
      }),
  };
}
