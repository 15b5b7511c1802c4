/** Plans of the fake data: a ChatGPT plan whose short window does not last; none in the empty scenario. */
import type { PlansView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import type { Host } from "@/ipc/host";
import { HOUR_MS, MINUTE_MS } from "@/lib/time";

export function fakePlans({ world, now, answer }: Doing): Pick<Host, "plans"> {
  const some = (): PlansView => ({
    finding: "Codex CLI (plus): at this pace the window of 5 hours is used up early",
    plans: [
      {
        tool: "codex",
        label: "Codex CLI (plus)",
        read_at: now() - 4 * MINUTE_MS,
        windows: [
          {
            label: "5 hours",
            state: "runs_out",
            used_percent: 74,
            elapsed_percent: 56,
            resets_at: now() + 2.2 * HOUR_MS,
            runs_out_at: now() + 58 * MINUTE_MS,
            read_at: now() - 4 * MINUTE_MS,
          },
          {
            label: "7 days",
            state: "lasts",
            used_percent: 31,
            elapsed_percent: 62,
            resets_at: now() + 64 * HOUR_MS,
            runs_out_at: null,
            read_at: now() - 4 * MINUTE_MS,
          },
        ],
      },
    ],
    values: [
      {
        tool: "claude-code",
        tool_name: "Claude Code",
        answers: 8_412,
        value_nano_usd: 214_730_000_000,
        is_value_unknown: false,
        unpriced_answers: 0,
      },
      {
        tool: "codex",
        tool_name: "Codex CLI",
        answers: 2_210,
        value_nano_usd: 38_220_000_000,
        is_value_unknown: false,
        unpriced_answers: 0,
      },
      {
        tool: "opencode",
        tool_name: "OpenCode",
        answers: 96,
        value_nano_usd: 0,
        is_value_unknown: true,
        unpriced_answers: 96,
      },
    ],
  });
  const none: PlansView = {
    finding: "No tool has written down the limits of a plan in the last 8 days",
    plans: [],
    values: [],
  };
  return { plans: () => answer(() => (world.requests.length > 0 ? some() : none)) };
}
