/** The fake core's trials of rules: made-up episodes of a month, and a rehearsal. */
import type {
  AlertBacktestView,
  AlertFiringView,
  AlertMetricView,
  AlertRehearsalStepView,
  AlertRehearsalView,
  AlertRule,
  AlertRuleSet,
  AlertSeverity,
} from "@/ipc/bindings";
import { checkedRow, makeEntries } from "@/ipc/fake/alerts";
import type { RuleRow } from "@/ipc/fake/alert-rules";
import type { Doing } from "@/ipc/fake/doing";
import { fault } from "@/ipc/fake/rules";
import type { Host } from "@/ipc/host";
import { DAY_MS } from "@/lib/time";

type TrialOperation = "alertRuleBacktest" | "alertRuleRehearse";

const DAYS_MAX = 30;
const GROUP_WAIT_SECS = 30;

const SAMPLED_MS = 6 * 3_600_000;

const SAMPLED_NOTE = "By the samples since Gatehouse started, of six hours at most; older ones are not kept.";

/** Rules that judge what is sampled since the start. */
const SAMPLED: readonly AlertRule[] = [
  "disk-space",
  "app-memory",
  "app-processor",
  "machine-memory",
  "slow-queries",
  "probe-coverage",
];

/** Rules of whose facts too little is recorded. */
const WITHOUT_HISTORY: readonly AlertRule[] = [
  "gateway-fault",
  "ledger-fault",
  "channel-fault",
  "digest",
  "vault-fault",
  "plain-key",
  "quota-low",
  "balance-low",
];

/** How far beyond the default threshold, how many minutes, how many days ago. */
const EPISODES = [
  { beyond: 1.6, minutes: 44, daysAgo: 26.3 },
  { beyond: 1.1, minutes: 12, daysAgo: 19.6 },
  { beyond: 3.2, minutes: 95, daysAgo: 12.2 },
  { beyond: 2.4, minutes: 41, daysAgo: 6 },
  { beyond: 1.2, minutes: 16, daysAgo: 4.4 },
  { beyond: 4.0, minutes: 260, daysAgo: 2.1 },
];

interface Numbers {
  hold: number;
  threshold: number;
}

function firingsOf(row: RuleRow, { hold, threshold }: Numbers, days: number, now: number): AlertFiringView[] {
  const limit = row.threshold?.default ?? 1;
  return EPISODES.filter(({ beyond, minutes, daysAgo }) => {
    const isLong = minutes * 60 >= hold;
    return daysAgo < days && isLong && (row.threshold === null || beyond * limit >= threshold);
  }).map(({ minutes, daysAgo }) => {
    const from = now - daysAgo * DAY_MS + hold * 1_000;
    const lasted = minutes * 60 - hold + row.keep_secs;
    return { title: row.title, from, to: from + lasted * 1_000, lasted_secs: lasted };
  });
}

const TIMES = ["never", "once", "twice"];

function times(count: number): string {
  return TIMES[count] ?? `${count} times`;
}

function spanText(secs: number): string {
  const [hours, minutes] = [Math.floor(secs / 3_600), Math.floor((secs % 3_600) / 60)];
  if (secs < 60) return `${secs} s`;
  if (hours === 0) return secs % 60 === 0 ? `${minutes} min` : `${minutes} min ${secs % 60} s`;
  return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
}

function sentenceOf(
  tried: AlertFiringView[] | null,
  saved: AlertFiringView[] | null,
  fired: number,
  period: string,
): string {
  const really = fired === 0 ? "In fact it did not fire" : `In fact it fired ${times(fired)}`;
  if (tried === null) return `Too little is recorded to try this rule. ${really} ${period}.`;
  const secs = tried.reduce((sum, firing) => sum + firing.lasted_secs, 0);
  const would =
    tried.length === 0
      ? `Would not have fired ${period}`
      : `Would have fired ${times(tried.length)} ${period}, for ${spanText(secs)} in all`;
  return `${would}${saved === null ? "" : `; with the saved numbers: ${times(saved.length)}`}. ${really}.`;
}

function backtestOf({ world, now }: Doing, row: RuleRow, req: AlertRuleSet, days: number): AlertBacktestView {
  const to = now();
  const isSampled = SAMPLED.includes(row.rule);
  const known = isSampled ? SAMPLED_MS : days * DAY_MS;
  const from = to - known;
  const period = isSampled ? "in the 6 h that are known" : `in ${days} days`;
  const savedNumbers = { hold: row.hold?.value ?? 0, threshold: row.threshold?.value ?? 0 };
  const numbers = {
    hold: req.hold_secs ?? savedNumbers.hold,
    threshold: req.threshold ?? savedNumbers.threshold,
  };
  const isUsed = world.clients.length > 0 && !WITHOUT_HISTORY.includes(row.rule);
  const isSaved = numbers.hold === savedNumbers.hold && numbers.threshold === savedNumbers.threshold;
  const tried = isUsed ? firingsOf(row, numbers, known / DAY_MS, to) : null;
  const saved = isUsed && !isSaved ? firingsOf(row, savedNumbers, known / DAY_MS, to) : null;
  const fired = makeEntries(world, to)
    .filter((entry) => entry.rule === row.rule && (entry.ended_at ?? to) > from)
    .map(({ title, fired_at, ended_at }) => ({
      title,
      from: fired_at,
      to: ended_at,
      lasted_secs: Math.floor(((ended_at ?? to) - fired_at) / 1_000),
    }));
  return {
    from,
    to,
    sentence: sentenceOf(tried, saved, fired.length, period),
    notes: isUsed
      ? [isSampled ? SAMPLED_NOTE : "Nothing was watched for 2 d 4 h of that time, so nothing fires then."]
      : [],
    tried,
    saved,
    fired,
    metric: isUsed ? metricOf(row, numbers.threshold, from, to) : null,
  };
}

const METRIC_STEPS = 84;

/** A number that goes up and down, and is beyond the default threshold in the episodes. */
function metricOf(row: RuleRow, threshold: number, from: number, to: number): AlertMetricView | null {
  if (row.threshold === null) return null;
  const { default: limit, unit } = row.threshold;
  const length = (to - from) / METRIC_STEPS;
  const steps = Array.from({ length: METRIC_STEPS }, (_, step) => from + step * length);
  const values = steps.map((start, step) => {
    const episode = EPISODES.find(({ daysAgo }) => {
      const began = to - daysAgo * DAY_MS;
      return began >= start && began < start + length;
    });
    if (episode) return episode.beyond * limit;
    return step % 28 > 22 ? null : limit * (0.45 + 0.25 * Math.sin(step / 4));
  });
  const most = Math.max(...values.map((value) => value ?? 0));
  return {
    finding: `At most ${Math.round(most)} ${unit}; fires from ${threshold} ${unit} on.`,
    threshold,
    unit,
    steps,
    lines: [{ name: row.group === "backends" ? "groq" : row.group, values }],
    left_out: 0,
  };
}

const NOTHING_SHOWN = { severity: null, channel: null, title: null, body: null };
const SHOWN: readonly AlertSeverity[] = ["medium", "high", "critical"];

function afterText(secs: number): string {
  return secs === 0 ? "at once" : `after ${spanText(secs)}`;
}

function rehearsalOf(row: RuleRow, req: AlertRuleSet): AlertRehearsalView {
  const hold = req.hold_secs ?? row.hold?.value ?? 0;
  const severity = req.severity ?? row.severity?.value ?? "medium";
  const delivery = req.delivery ?? row.delivery;
  if (delivery === "off")
    return { sentence: "It tells nothing.", notes: ["The rule is off: no alert fires."], steps: [] };
  const isShown = delivery === "notification" && SHOWN.includes(severity);
  const title = `Rehearsal: ${row.title}`;
  const over = hold + 300;
  const step = (kind: AlertRehearsalStepView["kind"], after: number, text: string, shown = false) => ({
    ...NOTHING_SHOWN,
    kind,
    after_secs: after,
    text,
    ...(shown ? { title, body: "An example. What it means and what to do stands here." } : {}),
  });
  return {
    sentence: `An entry of the inbox ${afterText(hold)}${isShown ? `; a notification ${afterText(hold + GROUP_WAIT_SECS)}` : ""}.`,
    notes: [
      isShown
        ? "Outside of quiet hours, while the window is not in front, if nobody acknowledges it."
        : delivery === "inbox"
          ? "Its alerts are for the inbox alone."
          : "The desktop shows alerts from medium on; this one is less severe.",
    ],
    steps: [
      step("pending", 0, "The condition holds."),
      { ...step("fired", hold, "The alert fires and is in the inbox.", true), severity },
      ...(isShown ? [step("shown", hold + GROUP_WAIT_SECS, "The desktop shows a notification.", true)] : []),
      step("over", over, "The condition is over."),
      ...(isShown ? [step("withdrawn", over, "The notification is withdrawn.")] : []),
      step("ended", over + row.keep_secs, "The alert ends. Its entry stays in the inbox."),
    ],
  };
}

export function fakeAlertTrials(doing: Doing): Pick<Host, TrialOperation> {
  const { answer } = doing;
  return {
    alertRuleBacktest: ({ numbers, days }) =>
      answer(() => {
        if (days < 1 || days > DAYS_MAX) throw fault("invalid_input", `choose 1 to ${DAYS_MAX}`, null, "days");
        return backtestOf(doing, checkedRow(numbers), numbers, days);
      }),
    alertRuleRehearse: (req) => answer(() => rehearsalOf(checkedRow(req), req)),
  };
}
