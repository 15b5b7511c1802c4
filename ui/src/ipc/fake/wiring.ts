/** The fake core's client tools: one connected, one not, and in the failing world one that others changed. */
import type {
  ChangedKeys,
  ClientTool,
  GuideKind,
  GuidedTool,
  ToolGuideView,
  ToolWiringView,
  GuideStepView,
  WiringConflictView,
  WiredKeyChangeView,
  WiringPlanView,
  WiringRung,
} from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise, requireVault } from "@/ipc/fake/rules";
import { attemptOf } from "@/ipc/fake/tool-attempt";
import { makeClient } from "@/ipc/fake/world";

type WiringOperation =
  | "clientCheck"
  | "clientsWiring"
  | "clientWiringPlan"
  | "clientWire"
  | "clientUnwire"
  | "clientsUnwireAll"
  | "clientGuides";

interface FakeTool {
  tool: ClientTool;
  name: string;
  version: string | null;
  program: string | null;
  restart: boolean;
  file: string;
  rung: WiringRung;
  steps: GuideStepView[];
  /** Without the header: the lines around, and those that wiring adds. */
  diff: (address: string) => string[];
  isFound: boolean;
  isWired: boolean;
  drift: WiredKeyChangeView[];
  conflicts: WiringConflictView[];
}

const RUNGS: Record<WiringRung, string> = {
  command: "It runs a command for its token, so none is in its files.",
  reference: "Its file names a variable for the token, which `gatehouse run` sets, so none is in it.",
  keychain: "You enter it once, and the tool keeps it in the system keychain, so none is in its files.",
  environment: "`gatehouse run` starts it with the token in its environment, so none is in its files.",
  token: "Its file names a secret for the token. You set it once, and can revoke it at any time.",
};

function claudeCode(): FakeTool {
  return {
    tool: "claude-code",
    name: "Claude Code",
    version: "2.1.4",
    program: "/home/ada/.local/bin/claude",
    restart: false,
    file: "/home/ada/.claude/settings.json",
    rung: "command",
    steps: [],
    diff: (address) => [
      "@@ -1,4 +1,8 @@",
      " {",
      '   "model": "opus",',
      '-  "theme": "dark"',
      '+  "theme": "dark",',
      '+  "apiKeyHelper": "/usr/bin/gatehouse token claude-code",',
      '+  "env": {',
      `+    "ANTHROPIC_BASE_URL": "${address}"`,
      "+  }",
      " }",
    ],
    isFound: true,
    isWired: true,
    drift: [],
    conflicts: [],
  };
}

function codex(): FakeTool {
  return {
    tool: "codex",
    name: "Codex CLI",
    version: "0.98.0",
    program: "/usr/bin/codex",
    restart: true,
    file: "/home/ada/.codex/config.toml",
    rung: "command",
    steps: [],
    diff: (address) => [
      "@@ -1,2 +1,10 @@",
      " # mine",
      '-model_provider = "openai"',
      '+model_provider = "gatehouse"',
      "+",
      "+[model_providers.gatehouse]",
      '+name = "Gatehouse"',
      `+base_url = "${address}/v1"`,
      '+wire_api = "responses"',
      '+auth = { command = "/usr/bin/gatehouse", args = ["token", "codex"] }',
    ],
    isFound: true,
    isWired: false,
    drift: [],
    conflicts: [],
  };
}

function openCode(): FakeTool {
  return {
    tool: "opencode",
    name: "OpenCode",
    version: "1.18.33",
    program: "/home/ada/.local/bin/opencode",
    restart: true,
    file: "/home/ada/.config/opencode/opencode.json",
    rung: "reference",
    steps: [
      { text: "Start it in your project:", code: "gatehouse run opencode" },
      { text: "Choose a model of the provider Gatehouse.", code: null },
    ],
    diff: (address) => [
      "@@ -1,3 +1,17 @@",
      " {",
      '-  "autoupdate": false',
      '+  "autoupdate": false,',
      '+  "provider": {',
      '+    "gatehouse": {',
      '+      "npm": "@ai-sdk/openai-compatible",',
      '+      "name": "Gatehouse",',
      '+      "options": {',
      `+        "baseURL": "${address}/v1",`,
      '+        "apiKey": "{env:GATEHOUSE_API_KEY}"',
      "+      },",
      '+      "models": {',
      '+        "fast": {',
      '+          "name": "fast"',
      "+        }",
      "+      }",
      "+    }",
      "+  }",
      " }",
    ],
    isFound: false,
    isWired: false,
    drift: [],
    conflicts: [],
  };
}

function zed(): FakeTool {
  return {
    tool: "zed",
    name: "Zed",
    version: "0.214.5",
    program: "/usr/bin/zed",
    restart: false,
    file: "/home/ada/.config/zed/settings.json",
    rung: "keychain",
    steps: [
      { text: "Print the token:", code: "gatehouse token zed" },
      { text: "In Zed, run `agent: open settings` and paste it as the key of Gatehouse.", code: null },
      { text: "Or start Zed with it, while no other window of Zed is open:", code: "gatehouse run zed" },
    ],
    diff: (address) => [
      "@@ -1,3 +1,22 @@",
      " {",
      '-  "buffer_font_size": 15',
      '+  "buffer_font_size": 15,',
      '+  "language_models": {',
      '+    "openai_compatible": {',
      '+      "Gatehouse": {',
      `+        "api_url": "${address}/v1",`,
      '+        "available_models": [{ "name": "fast", "display_name": "fast", "max_tokens": 400000 }]',
      "+      }",
      "+    }",
      "+  }",
      " }",
    ],
    isFound: true,
    isWired: false,
    drift: [],
    conflicts: [],
  };
}

function madeTools({ scenario }: Doing["world"]): FakeTool[] {
  const tools = [claudeCode(), codex(), openCode(), zed()];
  const [claude, other] = tools as [FakeTool, FakeTool];
  if (scenario === "fresh") {
    claude.isWired = false;
    for (const tool of tools.slice(1)) tool.isFound = false;
  }
  if (scenario === "failing") {
    claude.drift = [
      {
        file: claude.file,
        key: "env.ANTHROPIC_BASE_URL",
        expected: "http://127.0.0.1:4283",
        found: "http://127.0.0.1:3456",
      },
    ];
    other.isWired = true;
    other.conflicts = [
      {
        layer: "profile",
        place: other.file,
        key: "profiles.work.model_provider",
        explanation: `profiles.work.model_provider in ${other.file} is used instead; remove it or choose another profile`,
      },
    ];
  }
  return tools;
}

function viewOf({ isFound, isWired, drift, conflicts, ...tool }: FakeTool, address: string): ToolWiringView {
  const [changed, conflict] = [drift[0], conflicts[0]];
  const [state, sentence]: [ToolWiringView["state"], string] = !isFound
    ? ["not_installed", `${tool.name} was not found on this machine.`]
    : !isWired
      ? ["not_wired", `${tool.name} does not use the gateway.`]
      : changed !== undefined
        ? ["drifted", `${changed.key} in ${changed.file} was changed since ${tool.name} was connected.`]
        : conflict !== undefined
          ? ["conflict", `${conflict.explanation}.`]
          : tool.rung === "keychain"
            ? [
                "token_not_entered",
                `${tool.name} has the gateway as a provider, but no request has come with its token. Enter the token in ${tool.name} once.`,
              ]
            : tool.rung === "reference"
              ? ["wired", `${tool.name} uses the gateway when \`gatehouse run ${tool.tool}\` starts it.`]
              : ["wired", `${tool.name} uses the gateway.`];
  return {
    tool: tool.tool,
    name: tool.name,
    state,
    cause: state === "drifted" ? "changed_keys" : null,
    sentence,
    rung: tool.rung,
    rung_sentence: RUNGS[tool.rung],
    steps: isWired ? tool.steps : [],
    run_command: isFound && tool.tool !== "zed" ? `gatehouse run ${tool.tool}` : null,
    run_obstacle: null,
    restart: tool.restart,
    program: isFound ? tool.program : null,
    version: isFound ? tool.version : null,
    files: [tool.file],
    client: isWired ? tool.tool : null,
    address: isWired ? address : null,
    drift: isWired ? drift : [],
    conflicts: isWired ? conflicts : [],
  };
}

/** The lines of a diff the other way round. */
function undone(lines: string[]): string[] {
  return lines.map((line) =>
    line.startsWith("+") ? `-${line.slice(1)}` : line.startsWith("-") ? `+${line.slice(1)}` : line,
  );
}

function refuseChanged(tool: FakeTool, keys: ChangedKeys): void {
  if (keys === "refuse" && tool.drift.length > 0)
    throw fault(
      "invalid_input",
      `Keys of ${tool.name} were changed: ${tool.drift.map(({ key }) => key).join(", ")}`,
      "Keep what was changed, or restore what was there before.",
      "changed_keys",
    );
}

function release(tool: FakeTool): void {
  Object.assign(tool, { isWired: false, drift: [], conflicts: [] });
}

function guide(
  tool: GuidedTool,
  name: string,
  kind: GuideKind,
  sentence: string,
  steps: [string, string | null][] = [],
): ToolGuideView {
  return {
    tool,
    name,
    kind,
    sentence,
    steps: steps.map(([text, code]) => ({ text, code })),
    found: tool === "cursor",
    version: null,
  };
}

function guides(address: string): ToolGuideView[] {
  return [
    guide("cline", "Cline", "manual", "It keeps the token in the secret storage of the editor.", [
      ["In its settings, choose OpenAI Compatible with this base URL:", `${address}/v1`],
      ["Create a token, printed once, and paste it as the API key:", "gatehouse clients add cline"],
      ["Enter a model of the gateway as the model ID:", "fast"],
    ]),
    guide(
      "cursor",
      "Cursor",
      "impossible",
      "It sends requests through its own servers, which cannot reach this machine.",
    ),
  ];
}

export function fakeWiring(doing: Doing): Pick<Host, WiringOperation> {
  const { world, now, answer, changed } = doing;
  const tools = madeTools(world);
  const port = () => world.settings.values.gateway_port;
  const address = () => `http://127.0.0.1:${port()}`;
  const find = (tool: ClientTool) =>
    tools.find((one) => one.tool === tool && one.isFound) ??
    raise(fault("not_found", `${tool} was not found on this machine`, null));
  const planOf = (tool: FakeTool, undo: boolean): WiringPlanView => {
    const lines = tool.diff(address());
    const file = `${tool.file}${undo ? "" : ` (with Gatehouse)`}`;
    return {
      files: [
        {
          path: tool.file,
          creates: false,
          removes: false,
          diff: [`--- ${tool.file}`, `+++ ${file}`, ...(undo ? undone(lines) : lines)].join("\n"),
        },
      ],
      changes: tool.drift,
      conflicts: undo ? [] : tool.conflicts,
      fingerprint: `${tool.tool}-${undo}-${tool.isWired}`,
    };
  };
  return {
    clientGuides: () => answer(() => guides(address())),
    clientsWiring: () => answer(() => tools.map((tool) => viewOf(tool, address()))),
    clientWiringPlan: ({ tool, undo, changed_keys: keys }) =>
      answer(() => {
        const found = find(tool);
        if (undo) refuseChanged(found, keys ?? "refuse");
        return planOf(found, undo);
      }),
    clientWire: ({ tool, fingerprint }) =>
      answer(() => {
        requireVault(world);
        const found = find(tool);
        if (typeof fingerprint === "string" && fingerprint !== planOf(found, false).fingerprint)
          throw fault("failed", `${found.file} has changed; look at the plan again`, null);
        if (!world.clients.some(({ id }) => id === tool)) world.clients.push(makeClient(tool, now(), port()));
        Object.assign(found, { isWired: true, drift: [] });
        changed("clients", "status");
        return viewOf(found, address());
      }),
    clientCheck: ({ tool }) =>
      answer(() => {
        const found = find(tool);
        if (!found.isWired)
          throw fault("not_found", `${found.name} is not connected`, `\`gatehouse clients wire ${tool}\` connects it.`);
        return attemptOf(found, address());
      }),
    clientUnwire: ({ tool, changed_keys: keys }) =>
      answer(() => {
        const found = find(tool);
        refuseChanged(found, keys);
        release(found);
        changed("clients");
        return viewOf(found, address());
      }),
    clientsUnwireAll: ({ changed_keys: keys }) =>
      answer(() => {
        const wired = tools.filter(({ isWired }) => isWired);
        for (const tool of wired) {
          refuseChanged(tool, keys);
          release(tool);
        }
        changed("clients");
        return wired.map(({ tool, name }) => ({ tool, name, error: null }));
      }),
  };
}
