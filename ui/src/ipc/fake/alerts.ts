/** The fake core's alerts: some that fire in the failing world, and those that fired before. */
import type {
  AlertRule,
  AlertRuleNumberView,
  AlertRuleSet,
  AlertRuleView,
  AlertsView,
  AlertView,
  InboxEntryView,
  IncidentEventView,
  IncidentView,
  SilenceView,
} from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { ALERT_RULES, type RuleRow } from "@/ipc/fake/alert-rules";
import type { Doing } from "@/ipc/fake/doing";
import { healthTimeline } from "@/ipc/fake/health-timeline";
import { fault, raise } from "@/ipc/fake/rules";
import type { World } from "@/ipc/fake/world";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "@/lib/time";

function entry(
  number: number,
  since: number,
  rest: Pick<InboxEntryView, "rule" | "severity" | "scopes" | "title" | "detail" | "path"> & Partial<InboxEntryView>,
): InboxEntryView {
  return {
    number,
    since,
    fired_at: since + 20_000,
    ended_at: null,
    ending: null,
    acknowledged_at: null,
    notified_at: since + 21_000,
    is_read: false,
    ...rest,
  };
}

function ended(since: number, lasted: number) {
  return { ended_at: since + lasted, ending: "resolved", is_read: true } as const;
}

/** Oldest first. */
export function makeEntries({ scenario, clients }: Doing["world"], now: number): InboxEntryView[] {
  if (clients.length === 0) return [];
  const past = [
    entry(1, now - 6 * DAY_MS, {
      rule: "backend-down",
      severity: "medium",
      scopes: ["ollama"],
      title: "Ollama is down",
      detail: "Connection refused at 127.0.0.1:11434. Other backends answer instead.",
      path: "/backends/ollama",
      ...ended(now - 6 * DAY_MS, 41 * MINUTE_MS),
    }),
    entry(2, now - 4 * DAY_MS, {
      rule: "budget-mark",
      severity: "high",
      scopes: ["openai"],
      title: "Budget openai is used up",
      detail: "$5.01 of $5.00 spent. It only tells: nothing is refused.",
      path: "/budgets?budget=openai",
      ...ended(now - 4 * DAY_MS, 3 * HOUR_MS),
    }),
    entry(3, now - 2 * DAY_MS, {
      rule: "breaker-open",
      severity: "low",
      scopes: ["groq"],
      title: "Groq is failing",
      detail: "Too many of its requests failed. Other backends answer instead.",
      path: "/backends/groq",
      ended_at: now - 2 * DAY_MS + 9 * MINUTE_MS,
      ending: "unknown",
      notified_at: null,
    }),
  ];
  if (scenario !== "failing") return past;
  return [
    ...past,
    entry(4, now - 47 * MINUTE_MS, {
      rule: "backend-down",
      severity: "critical",
      scopes: ["ollama"],
      title: "Ollama is down",
      detail: "Connection refused at 127.0.0.1:11434. The route local has no other backend: start Ollama.",
      path: "/backends/ollama",
    }),
    entry(5, now - 18 * MINUTE_MS, {
      rule: "key-blocked",
      severity: "high",
      scopes: ["openrouter"],
      title: "OpenRouter rejected its key",
      detail: "401, invalid_api_key. Replace the key.",
      path: "/keys/openrouter",
    }),
  ];
}

const PENDING: Omit<AlertView, "since"> = {
  number: null,
  rule: "budget-forecast",
  group: "money",
  severity: "low",
  state: "pending",
  scopes: ["agents"],
  title: "Budget agents will be used up early",
  detail: "At this pace on Saturday, a day before its week ends.",
  path: "/budgets?budget=agents",
  fired_at: null,
  acknowledged_at: null,
  notified_at: null,
  silenced_by: null,
  silence_scope: "agents",
};

type AlertOperation =
  | "alerts"
  | "alertAcknowledge"
  | "alertSilence"
  | "silenceRemove"
  | "alertRules"
  | "alertRulePreview"
  | "alertRuleSet"
  | "inbox"
  | "inboxRead"
  | "incident"
  | "incidentNote";

/** The row of the rule, if what is asked for is within its limits. */
export function checkedRow(req: AlertRuleSet): RuleRow {
  const row = ALERT_RULES.find(({ rule }) => rule === req.rule);
  if (row === undefined) return raise(fault("not_found", `there is no rule ${req.rule}`, null));
  const numbers = [
    ["hold_secs", req.hold_secs, row.hold],
    ["threshold", req.threshold, row.threshold],
    ["minimum", req.minimum, row.minimum],
  ] as const;
  for (const [field, value, limits] of numbers) {
    if (value === null || limits === null || (value >= limits.min && value <= limits.max)) continue;
    raise(fault("invalid_input", `a number from ${limits.min} to ${limits.max} ${limits.unit}`.trim(), null, field));
  }
  return row;
}

function withValue(view: AlertRuleNumberView | null, to: number | null): AlertRuleNumberView | null {
  return view && { ...view, value: to ?? view.value };
}

const numberInSentence = (value: number) => new RegExp(`\\b${value}(?= (%|MB|days)| or more| requests)`);

/** The core makes the sentence anew; here its numbers are replaced. */
function withChanges(row: RuleRow, set: AlertRuleSet | undefined): RuleRow {
  if (set === undefined) return row;
  const threshold = withValue(row.threshold, set.threshold);
  return {
    ...row,
    delivery: set.delivery ?? row.delivery,
    hold: withValue(row.hold, set.hold_secs),
    threshold,
    minimum: withValue(row.minimum, set.minimum),
    severity: row.severity && { ...row.severity, value: set.severity ?? row.severity.value },
    condition: threshold
      ? row.condition.replace(numberInSentence(threshold.default), String(threshold.value))
      : row.condition,
  };
}

const NOISY_FIRED = 9;

const NOISY: AlertRuleSet = {
  rule: "spend-anomaly",
  delivery: null,
  hold_secs: 900,
  threshold: null,
  minimum: null,
  severity: null,
};

/** A rule that fires often, unless somebody changed it since. */
function noisy(isChanged: boolean, now: number): Pick<AlertRuleView, "fired_last_week" | "last_fired_at" | "noise"> {
  const noise = {
    sentence: `Fired ${NOISY_FIRED} times in 7 days, and nobody acted on it. If it had to hold for 15 min, 7 of them would not have fired.`,
    label: "Hold for 15 min",
    change: NOISY,
  };
  return { fired_last_week: NOISY_FIRED, last_fired_at: now - 5 * HOUR_MS, noise: isChanged ? null : noise };
}

function alertOf(found: InboxEntryView, silences: SilenceView[]): AlertView {
  const { ended_at: _ended, ending: _ending, is_read: _read, ...rest } = found;
  const group = ALERT_RULES.find(({ rule }) => rule === found.rule)?.group ?? "backends";
  const silence = silences.find(
    ({ rule, scope }) => (rule ?? found.rule) === found.rule && (scope === null || found.scopes.includes(scope)),
  );
  return {
    ...rest,
    group,
    state: "firing",
    silenced_by: silence?.number ?? null,
    silence_scope: found.scopes[0] ?? null,
  };
}

function own(at: number | null, text: string): IncidentEventView[] {
  return at === null ? [] : [{ at, source: "alert", text }];
}

function eventsOf(found: InboxEntryView, notes: IncidentEventView[]): IncidentEventView[] {
  const [scope = ""] = found.scopes;
  const health: IncidentEventView[] =
    found.rule === "backend-down"
      ? [{ at: found.since, source: "health", text: `${scope} is down: ${found.detail}` }]
      : [];
  return [
    ...health,
    ...own(found.fired_at, "The alert fired."),
    ...own(found.notified_at, "A notification was shown."),
    ...own(found.acknowledged_at, "The alert was acknowledged."),
    ...own(found.ended_at, "The alert was resolved."),
    ...notes,
  ].toSorted((left, right) => left.at - right.at);
}

export function fakeAlerts({ world, now, answer, changed }: Doing): Pick<Host, AlertOperation> {
  const entries = makeEntries(world, now());
  const notes = new Map<number, IncidentEventView[]>();
  const changes = new Map<AlertRule, AlertRuleSet>();
  let silences: SilenceView[] = [];
  let lastSilence = 0;
  const find = (number: number) =>
    entries.find((one) => one.number === number) ?? raise(fault("not_found", `there is no alert ${number}`, null));
  const unread = () => entries.filter(({ is_read }) => !is_read).length;
  const view = (): AlertsView => ({
    alerts: [
      ...entries.filter(({ ended_at }) => ended_at === null).map((one) => alertOf(one, silences)),
      ...(world.scenario === "failing" ? [{ ...PENDING, since: now() - 11 * MINUTE_MS }] : []),
    ],
    suppressed:
      world.scenario === "failing"
        ? [{ rule: "route-dead", title: "Route local has no backend", by: "backend-down/ollama" }]
        : [],
    silences,
    unread: unread(),
  });
  const rules = (): AlertRuleView[] =>
    ALERT_RULES.map((row) => {
      const fired = entries.filter(({ rule }) => rule === row.rule).map(({ fired_at }) => fired_at);
      return {
        ...withChanges(row, changes.get(row.rule)),
        fired_last_week: fired.filter((at) => at > now() - 7 * DAY_MS).length,
        last_fired_at: fired.at(-1) ?? null,
        noise: null,
        ...(row.rule === NOISY.rule && world.clients.length > 0 ? noisy(changes.has(row.rule), now()) : {}),
      };
    });
  const incidentOf = (found: InboxEntryView): IncidentView => {
    const events = eventsOf(found, notes.get(found.number) ?? []);
    const lines = events.map(({ at, source, text }) => `- ${new Date(at).toISOString()} (${source}): ${text}`);
    const scoped = world.backends.filter(({ id }) => found.scopes.includes(id)).map(({ id }) => id);
    const end = found.ended_at ?? now();
    const hours = Math.max((now() - found.since) / 3_600_000, 0.2) * 1.25;
    const { markers, lanes, ...rest } = healthTimeline(world, now(), hours, scoped);
    const [from, to] = [rest.from, Math.min(end + (end - found.since) / 4, now())];
    const timeline = {
      finding: found.title,
      from,
      to,
      lanes: lanes.map((lane) => ({
        ...lane,
        spans: lane.spans.filter((span) => span.from < to).map((span) => ({ ...span, to: Math.min(span.to, to) })),
      })),
      markers: markers.filter(({ at }) => at <= to),
    };
    const isIn = ({ started_at: at, state, backend }: World["requests"][number]) =>
      at >= found.since && at <= end && state === "failed" && (scoped.length !== 1 || backend === scoped[0]);
    const failed = {
      count: world.requests.filter(isIn).length,
      is_at_least: false,
      backend: scoped.length === 1 ? (scoped[0] ?? null) : null,
    };
    return {
      alert: found,
      failed,
      timeline,
      events,
      markdown: `# ${found.title}\n\n${found.detail}\n\n${lines.join("\n")}\n`,
    };
  };
  return {
    alerts: () => answer(view),
    alertAcknowledge: ({ number }) =>
      answer(() => {
        Object.assign(find(number), { acknowledged_at: now(), is_read: true });
        changed("alerts");
        return view();
      }),
    alertSilence: ({ rule = null, scope = null, reason = "", until }) =>
      answer(() => {
        if (until <= now()) throw fault("invalid_input", "name a time in the future", null, "until");
        lastSilence += 1;
        const silence = { number: lastSilence, rule, scope, reason, created_at: now(), until };
        silences = [...silences, silence];
        changed("alerts");
        return silence;
      }),
    silenceRemove: ({ number }) =>
      answer(() => {
        silences = silences.filter((one) => one.number !== number);
        changed("alerts");
        return null;
      }),
    alertRules: () => answer(rules),
    alertRulePreview: (req) => answer(() => ({ sentence: withChanges(checkedRow(req), req).condition })),
    alertRuleSet: (req) =>
      answer(() => {
        checkedRow(req);
        const given = Object.entries(req).filter(([, value]) => value !== null);
        changes.set(req.rule, { ...(changes.get(req.rule) ?? req), ...Object.fromEntries(given) });
        changed("alerts", "settings");
        return rules();
      }),
    inbox: ({ before = null, unread_only: only = false, limit }) =>
      answer(() => {
        const asked = entries
          .toReversed()
          .filter(({ number, is_read }) => (before === null || number < before) && !(only && is_read));
        const shown = asked.slice(0, limit);
        return {
          entries: shown,
          unread: unread(),
          next: asked.length > limit ? (shown.at(-1)?.number ?? null) : null,
        };
      }),
    inboxRead: ({ number = null }) =>
      answer(() => {
        for (const one of entries) if (number === null || one.number === number) one.is_read = true;
        changed("alerts");
        return null;
      }),
    incident: ({ number }) => answer(() => incidentOf(find(number))),
    incidentNote: ({ number, note }) =>
      answer(() => {
        const found = find(number);
        if (note.trim() === "") throw fault("invalid_input", "write something", null, "note");
        const added: IncidentEventView = { at: now(), source: "note", text: note.trim() };
        notes.set(number, [...(notes.get(number) ?? []), added]);
        changed("alerts");
        return incidentOf(found);
      }),
  };
}
