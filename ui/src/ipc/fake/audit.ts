/** The fake core's audit log: what callers changed in the last days. */
import type { AuditEntryView, AuditOutcome, CallerKind } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import type { Host } from "@/ipc/host";
import { MINUTE_MS } from "@/lib/time";

const ENTRIES = 64;

/** Caller, agent and its version, operation, subject, outcome. */
type Call = [CallerKind, [string, string] | null, string, string | null, AuditOutcome];

const CALLS: Call[] = [
  ["window", null, "settings_edit", null, "done"],
  ["mcp", ["Claude Code", "2.1.0"], "readiness_start", null, "done"],
  ["command-line", null, "route_set", "fast", "done"],
  ["mcp", ["codex", "0.52.0"], "playground_send", null, "done"],
  ["window", null, "key_replace", "openai", "done"],
  ["panel", null, "backend_switch", "groq", "done"],
  ["mcp", ["Claude Code", "2.1.0"], "access_reset", "mcp_change", "not_allowed"],
  ["command-line", null, "route_remove", null, "refused"],
];

function entryOf(number: number, now: number): AuditEntryView {
  const [caller, agent, operation, subject, outcome] = CALLS[number % CALLS.length] as Call;
  const label = operation.replaceAll("_", " ");
  return {
    number,
    at: now - (ENTRIES - number) * 37 * MINUTE_MS - MINUTE_MS,
    caller,
    agent: agent?.[0] ?? null,
    agent_version: agent?.[1] ?? null,
    client: agent?.[0] === "codex" ? "codex" : null,
    confirmed: null,
    operation,
    operation_label: label.charAt(0).toUpperCase() + label.slice(1),
    subject,
    outcome,
  };
}

export function fakeAudit({ world, now, answer }: Doing): Pick<Host, "auditLog"> {
  const count = world.clients.length === 0 ? 0 : ENTRIES;
  const entries = Array.from({ length: count }, (_, index) => entryOf(index + 1, now()));
  return {
    auditLog: ({ before = null, caller = null, operation = null, limit }) =>
      answer(() => {
        const found = entries
          .toReversed()
          .filter(
            (entry) =>
              (before === null || entry.number < before) &&
              (caller === null || entry.caller === caller) &&
              (operation === null || entry.operation === operation),
          );
        const shown = found.slice(0, limit);
        return { entries: shown, next: found.length > limit ? (shown.at(-1)?.number ?? null) : null };
      }),
  };
}
