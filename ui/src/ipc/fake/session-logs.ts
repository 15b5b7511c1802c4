/** Session logs of the fake data: none in the empty scenario; an import brings them in a few steps. */
import type {
  LogImportView,
  PanelEvent,
  SessionGroupBy,
  SessionLogGroupView,
  SessionLogTotalsView,
  SessionLogsView,
} from "@/ipc/bindings";
import { isUnknown } from "@/ipc/fake/basis";
import type { Doing } from "@/ipc/fake/doing";
import { fault } from "@/ipc/fake/rules";
import type { Host } from "@/ipc/host";

const STEP_MS = 220;
const FILES = 1_284;
const STEPS = 8;

interface Importing extends Doing {
  later: (ms: number, run: () => void) => void;
  announce: (event: PanelEvent) => void;
}

const totals = (answers: number, value: number, unpriced: number, measured: number): SessionLogTotalsView => ({
  answers,
  input_tokens: answers * 41_000,
  cache_read_tokens: answers * 38_500,
  output_tokens: answers * 620,
  value_nano_usd: value,
  is_value_unknown: isUnknown(value, answers, unpriced),
  unpriced_answers: unpriced,
  stated_nano_usd: 0,
  measured_answers: measured,
});

const group = (key: string, label: string, sums: SessionLogTotalsView): SessionLogGroupView => ({
  key,
  label,
  totals: sums,
});

const GROUPS: Record<SessionGroupBy, SessionLogGroupView[]> = {
  tool: [
    group("claude-code", "Claude Code", totals(8_412, 214_730_000_000, 0, 317)),
    group("codex", "Codex CLI", totals(2_210, 38_220_000_000, 0, 0)),
    group("gemini-cli", "Gemini CLI", totals(304, 2_114_000_000, 0, 0)),
    group("opencode", "OpenCode", totals(96, 0, 96, 0)),
  ],
  model: [
    group("claude-opus-4-5", "claude-opus-4-5", totals(5_120, 190_400_000_000, 0, 300)),
    group("gpt-5.4", "gpt-5.4", totals(2_210, 38_220_000_000, 0, 0)),
    group("claude-haiku-4-5", "claude-haiku-4-5", totals(3_292, 24_330_000_000, 0, 17)),
    group("gemini-3-pro-preview", "gemini-3-pro-preview", totals(304, 2_114_000_000, 0, 0)),
    group("glm-4.7-free", "glm-4.7-free", totals(96, 0, 96, 0)),
  ],
  project: [
    group("/home/dev/shop", "/home/dev/shop", totals(7_004, 168_064_000_000, 40, 317)),
    group("/home/dev/api", "/home/dev/api", totals(4_018, 87_000_000_000, 56, 0)),
  ],
  day: [
    group("2026-11-20", "2026-11-20", totals(6_011, 130_000_000_000, 50, 100)),
    group("2026-11-21", "2026-11-21", totals(5_011, 125_064_000_000, 46, 217)),
  ],
};

const NONE: LogImportView = {
  state: "running",
  started_at: 0,
  ended_at: null,
  files: 0,
  unchanged_files: 0,
  done_files: 0,
  answers: 0,
  measured_answers: 0,
  problems: 0,
  skipped: [],
  sentence: "Looking for session logs",
};

export function fakeSessionLogs({
  world,
  now,
  answer,
  changed,
  later,
  announce,
}: Importing): Pick<Host, "sessionLogs" | "sessionLogsImport" | "sessionLogsCancel"> {
  let isImported = world.requests.length > 0;
  let latest: LogImportView | null = null;

  const tell = (next: LogImportView) => {
    latest = next;
    announce({ kind: "log_import", import: structuredClone(next) });
  };
  const step = (done: number) => {
    if (latest?.state !== "running") return;
    const files = Math.round((FILES * done) / STEPS);
    const reading = {
      ...latest,
      files: FILES,
      done_files: files,
      answers: files * 8,
      problems: Math.min(done, 3),
      sentence: `Reading: ${files} of ${FILES} files, ${files * 8} answers new or completed`,
    };
    if (done < STEPS) {
      tell(reading);
      later(STEP_MS, () => step(done + 1));
      return;
    }
    isImported = true;
    tell({
      ...reading,
      state: "finished",
      ended_at: now(),
      measured_answers: 317,
      sentence: `10,272 answers new or completed, 3 problems in ${FILES} files, 0 of them unchanged`,
    });
    changed("session_logs");
  };

  const view = (by: SessionGroupBy): SessionLogsView => ({
    import: latest,
    finding: isImported
      ? "11,022 answers from session logs, worth $255.06 at list prices without 96 unpriced; 317 more went through Gatehouse and count there"
      : "No usage from session logs",
    totals: isImported ? totals(11_022, 255_064_000_000, 96, 317) : totals(0, 0, 0, 0),
    groups: isImported ? GROUPS[by] : [],
    files: isImported ? FILES : 0,
    problems: isImported
      ? [
          {
            path: "/home/dev/.claude/projects/-home-dev-shop/0b1d.jsonl",
            line: 1_204,
            field: "",
            what: "ends in the middle of a JSON value",
          },
          {
            path: "/home/dev/.codex/sessions/2026/11/20/rollout-2026-11-20T10-00-00.jsonl",
            line: 88,
            field: "payload.info.last_token_usage.output_tokens",
            what: "is negative (-5)",
          },
          { path: "/home/dev/.codex/sessions/2026/11/19/rollout.jsonl", line: null, field: "", what: "is UTF-16" },
        ]
      : [],
    problems_total: isImported ? 3 : 0,
    places: [
      { tool: "claude-code", tool_name: "Claude Code", path: "/home/dev/.claude/projects" },
      { tool: "codex", tool_name: "Codex CLI", path: "/home/dev/.codex/sessions" },
      { tool: "gemini-cli", tool_name: "Gemini CLI", path: "/home/dev/.gemini/tmp" },
      { tool: "opencode", tool_name: "OpenCode", path: "/home/dev/.local/share/opencode" },
    ],
  });

  return {
    sessionLogs: (req) => answer(() => view(req.group_by)),
    sessionLogsImport: () =>
      answer(() => {
        if (latest?.state === "running")
          throw fault("failed", "session logs are being imported already; wait for the end, or cancel it", null);
        latest = { ...NONE, started_at: now() };
        later(STEP_MS, () => step(1));
        return latest;
      }),
    sessionLogsCancel: () =>
      answer(() => {
        if (latest?.state === "running")
          tell({
            ...latest,
            state: "cancelled",
            ended_at: now(),
            sentence: "Cancelled. The next import resumes there",
          });
        changed("session_logs");
        return null;
      }),
  };
}
