/** Client tools of the fake data, and their connection to the gateway. */
import type {
  ClientTool,
  ClientUnwire,
  ClientWire,
  ToolWiringView,
  UnwiredToolView,
  WiringPlanQuery,
  WiringPlanView,
} from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise } from "@/ipc/fake/rules";
import { makeClient, type World } from "@/ipc/fake/world";

const FILE: Record<ClientTool, string> = {
  "claude-code": "/home/me/.claude/settings.json",
  codex: "/home/me/.codex/config.toml",
};

const DIFF: Record<ClientTool, string> = {
  "claude-code": `--- /home/me/.claude/settings.json
+++ /home/me/.claude/settings.json
@@ -1,5 +1,9 @@
 {
   // Opus for everything
-  "model": "opus"
+  "model": "opus",
+  "apiKeyHelper": "/usr/bin/gatehouse token claude-code",
+  "env": {
+    "ANTHROPIC_BASE_URL": "http://127.0.0.1:4283"
+  }
 }
`,
  codex: `--- /dev/null
+++ /home/me/.codex/config.toml
@@ -0,0 +1,10 @@
+model_provider = "gatehouse"
+
+[model_providers.gatehouse]
+name = "Gatehouse"
+base_url = "http://127.0.0.1:4283/v1"
+wire_api = "responses"
+
+[model_providers.gatehouse.auth]
+command = "/usr/bin/gatehouse"
+args = ["token", "codex"]
`,
};

function tool(name: string, rest: Pick<ToolWiringView, "tool"> & Partial<ToolWiringView>): ToolWiringView {
  return {
    name,
    state: "not_wired",
    sentence: `${name} does not use the gateway.`,
    rung: "command",
    rung_sentence: "It runs a command for its token, so none is in its files.",
    restart: false,
    program: null,
    version: null,
    files: [FILE[rest.tool]],
    client: null,
    address: null,
    drift: [],
    conflicts: [],
    ...rest,
  };
}

/** The tools of a scenario: nothing is found on a fresh machine but Claude Code. */
function makeTools(world: World): ToolWiringView[] {
  const claude = tool("Claude Code", { tool: "claude-code", program: "/usr/bin/claude", version: "2.1.329" });
  const codex = tool("Codex CLI", { tool: "codex", restart: true });
  if (world.clients.length === 0)
    return [claude, { ...codex, state: "not_installed", sentence: "Codex CLI was not found on this machine." }];
  const wired = connected(claude);
  const drifted: ToolWiringView = {
    ...wired,
    state: "drifted",
    sentence: `env.ANTHROPIC_BASE_URL in ${FILE["claude-code"]} was changed since Claude Code was connected.`,
    drift: [
      {
        file: FILE["claude-code"],
        key: "env.ANTHROPIC_BASE_URL",
        expected: "http://127.0.0.1:4283",
        found: "https://llm-proxy.example.com",
      },
    ],
  };
  const installed = { ...codex, program: "/usr/local/bin/codex", version: "0.169.0" };
  return [world.scenario === "failing" ? drifted : wired, installed];
}

function connected(view: ToolWiringView): ToolWiringView {
  return {
    ...view,
    state: "wired",
    sentence: `${view.name} uses the gateway.`,
    client: view.tool,
    address: "http://127.0.0.1:4283",
    drift: [],
  };
}

function disconnected(view: ToolWiringView): ToolWiringView {
  const sentence = `${view.name} does not use the gateway.`;
  return { ...view, state: "not_wired", sentence, client: null, address: null, drift: [] };
}

function planOf(query: WiringPlanQuery, view: ToolWiringView): WiringPlanView {
  const path = FILE[query.tool];
  const diff = DIFF[query.tool];
  const file = { path, creates: query.tool === "codex" && !query.undo, removes: false, diff };
  return { files: [file], changes: view.drift, conflicts: view.conflicts, fingerprint: "5d1f" };
}

type WiringHost = Pick<Host, "clientsWiring" | "clientWiringPlan" | "clientWire" | "clientUnwire" | "clientsUnwireAll">;

export function fakeWiring({ world, answer, changed, now }: Doing): WiringHost {
  const tools = makeTools(world);
  const addClient = (id: string) => {
    if (world.clients.some((known) => known.id === id)) return;
    world.clients.push(makeClient(id, now(), world.settings.values.gateway_port));
  };
  const replace = (name: ClientTool, change: (view: ToolWiringView) => ToolWiringView): ToolWiringView => {
    const index = tools.findIndex((known) => known.tool === name);
    const found = tools[index];
    if (found === undefined || found.state === "not_installed")
      raise(fault("not_found", `${found?.name ?? name} was not found on this machine`, "Install it first."));
    const next = change(found);
    tools[index] = next;
    changed("clients");
    return next;
  };
  return {
    clientsWiring: () => answer(() => structuredClone(tools)),
    clientWiringPlan: (query) =>
      answer(() =>
        planOf(query, tools.find((known) => known.tool === query.tool) ?? tool(query.tool, { tool: query.tool })),
      ),
    clientWire: (req: ClientWire) =>
      answer(() => {
        addClient(req.client ?? req.tool);
        return replace(req.tool, connected);
      }),
    clientUnwire: (req: ClientUnwire) =>
      answer(() => {
        const found = tools.find((known) => known.tool === req.tool);
        if (req.changed_keys === "refuse" && (found?.drift.length ?? 0) > 0)
          raise(
            fault(
              "invalid_input",
              `${found?.name} changed since the wiring: env.ANTHROPIC_BASE_URL`,
              "Keep what was changed, or restore what was there before.",
              "changed_keys",
            ),
          );
        return replace(req.tool, disconnected);
      }),
    clientsUnwireAll: () =>
      answer(() => {
        const used = tools.filter((known) => known.client !== null);
        for (const known of used) replace(known.tool, disconnected);
        return used.map((known): UnwiredToolView => ({ tool: known.tool, name: known.name, error: null }));
      }),
  };
}
