/** The rules of alerts about Gatehouse and its machine. */
import type { AlertRule, AlertRuleView, AlertSeverity } from "@/ipc/bindings";

interface LocalRule {
  rule: AlertRule;
  title: string;
  condition: string;
  holdSecs: number;
  keepSecs: number;
  threshold: { value: number; range: [number, number]; unit: string; meaning: string };
  severity: AlertSeverity;
}

function localRule({ rule, title, condition, holdSecs, keepSecs, threshold, severity }: LocalRule) {
  const { value, range, unit, meaning } = threshold;
  const [min, max] = range;
  return {
    rule,
    group: "local-app",
    title,
    condition,
    delivery: "inbox",
    hold: {
      value: holdSecs,
      default: holdSecs,
      min: 0,
      max: 604_800,
      unit: "s",
      meaning: "How long it must hold before an alert fires.",
    },
    threshold: { value, default: value, min, max, unit, meaning },
    minimum: null,
    severity: { value: severity, default: severity },
    keep_secs: keepSecs,
  } satisfies Partial<AlertRuleView>;
}

export const LOCAL_RULES = [
  localRule({
    rule: "slow-start",
    title: "Slow start",
    condition: "Fires when the last three starts took 1,000 ms or more each. Ends when one is faster. Info.",
    holdSecs: 0,
    keepSecs: 0,
    threshold: {
      value: 1000,
      range: [100, 60000],
      unit: "ms",
      meaning: "Time from the start until clients are served.",
    },
    severity: "info",
  }),
  localRule({
    rule: "app-memory",
    title: "Much memory",
    condition:
      "Fires when Gatehouse uses 240 MB of memory or more, for 5 minutes. Ends when it uses less, for 5 minutes. Medium.",
    holdSecs: 300,
    keepSecs: 300,
    threshold: {
      value: 240,
      range: [50, 100000],
      unit: "MB",
      meaning: "Memory that Gatehouse holds, without the window's web view.",
    },
    severity: "medium",
  }),
  localRule({
    rule: "app-processor",
    title: "Busy processor",
    condition:
      "Fires when Gatehouse uses 80 % of a processor core or more, for 5 minutes. Ends when it uses less, for 5 minutes. Medium.",
    holdSecs: 300,
    keepSecs: 300,
    threshold: { value: 80, range: [5, 6400], unit: "%", meaning: "Processor time as a share of one core." },
    severity: "medium",
  }),
  localRule({
    rule: "machine-memory",
    title: "Memory almost full",
    condition:
      "Fires when 85 % or more of this machine's memory is in use, for 5 minutes. Ends when less is in use, for 5 minutes. Medium.",
    holdSecs: 300,
    keepSecs: 300,
    threshold: {
      value: 85,
      range: [50, 100],
      unit: "%",
      meaning: "Share of the memory of this machine that is in use.",
    },
    severity: "medium",
  }),
  localRule({
    rule: "slow-queries",
    title: "Slow ledger",
    condition:
      "Fires when 3 or more statements of the ledger took 100 ms or longer within an hour, for 1 minute. Ends when fewer do, for 10 minutes. Medium.",
    holdSecs: 60,
    keepSecs: 600,
    threshold: {
      value: 3,
      range: [1, 10000],
      unit: "statements",
      meaning: "Statements of the ledger that took 100 ms or longer within an hour.",
    },
    severity: "medium",
  }),
  localRule({
    rule: "probe-coverage",
    title: "Backends not checked",
    condition:
      "Fires when the state of backends was known for less than 90 % of the last hour, for 1 minute. Ends when it is known for more of it, for 10 minutes. Medium.",
    holdSecs: 60,
    keepSecs: 600,
    threshold: {
      value: 90,
      range: [10, 100],
      unit: "%",
      meaning: "Share of the last hour in which the state of backends was known.",
    },
    severity: "medium",
  }),
  localRule({
    rule: "checks-old",
    title: "Old checks",
    condition:
      "Fires when all checks of the page Readiness were run 30 days ago or longer, if they ever were. Ends when they are run. Low.",
    holdSecs: 0,
    keepSecs: 0,
    threshold: { value: 30, range: [1, 365], unit: "days", meaning: "Days since all checks were run." },
    severity: "low",
  }),
];
