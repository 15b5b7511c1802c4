/** Alerts of the made-up world: those that fire in the failing world, one that is over, and silences. */
import type {
  AlertDelivery,
  AlertRule,
  AlertRuleView,
  AlertsView,
  AlertView,
  IncidentEventView,
  IncidentView,
  InboxEntryView,
  SilenceView,
} from "@/ipc/bindings";
import { ALERT_RULES } from "@/ipc/fake/alert-rules";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise } from "@/ipc/fake/rules";
import { DAY_MS } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";

type AlertOperation =
  | "alerts"
  | "alertAcknowledge"
  | "alertSilence"
  | "silenceRemove"
  | "alertRules"
  | "alertRuleSet"
  | "inbox"
  | "inboxRead"
  | "incident"
  | "incidentNote";

const MINUTE_MS = 60_000;
const FIRST_SILENCE = 101;

function firingEntries(world: Doing["world"], start: number): InboxEntryView[] {
  return world.backends
    .filter((backend) => backend.health.state === "down")
    .map((backend, index) => ({
      number: 2 + index,
      rule: "backend-down",
      severity: "critical",
      scopes: [backend.id],
      title: `${backend.label} is down`,
      detail: `Requests for ${backend.id}/… fail. Connection refused.`,
      path: `/backends/${backend.id}`,
      since: start - 12 * MINUTE_MS,
      fired_at: start - 12 * MINUTE_MS,
      ended_at: null,
      ending: null,
      acknowledged_at: null,
      notified_at: start - 11 * MINUTE_MS,
      is_read: false,
    }));
}

function pastEntry(start: number, isRead: boolean): InboxEntryView {
  return {
    number: 1,
    rule: "budget-mark",
    severity: "medium",
    scopes: ["monthly"],
    title: "Budget monthly: 80 % used",
    detail: "$16.02 of $20.00 is spent this month, which ends 1 Dec 00:00.",
    path: "/budgets",
    since: start - 2 * DAY_MS,
    fired_at: start - 2 * DAY_MS,
    ended_at: start - DAY_MS,
    ending: "resolved",
    acknowledged_at: null,
    notified_at: start - 2 * DAY_MS + MINUTE_MS,
    is_read: isRead,
  };
}

function ownEvents(alert: InboxEntryView): IncidentEventView[] {
  const known: [number | null, string][] = [
    [alert.fired_at, "The alert fired."],
    [alert.notified_at, "A notification was shown."],
    [alert.acknowledged_at, "The alert was acknowledged."],
    [alert.ended_at, "The alert ended: what it was about is over."],
  ];
  return known.flatMap(([at, text]) => (at === null ? [] : [{ at, source: "alert", text }]));
}

export function fakeAlerts({ world, now, answer, changed }: Doing): Pick<Host, AlertOperation> {
  const delivery = new Map<AlertRule, AlertDelivery>();
  const notes = new Map<number, IncidentEventView[]>();
  let silences: SilenceView[] = [];
  const firing = firingEntries(world, now());
  const past = world.requests.length === 0 ? [] : [pastEntry(now(), firing.length === 0)];
  let entries = [...firing, ...past].toSorted((one, other) => other.number - one.number);
  const silenceOf = (entry: InboxEntryView): number | null =>
    silences.find(
      ({ rule, scope }) => (rule === null || rule === entry.rule) && (scope === null || entry.scopes.includes(scope)),
    )?.number ?? null;
  const alertOf = ({ ended_at: _ended, ending: _ending, is_read: _read, ...entry }: InboxEntryView): AlertView => ({
    ...entry,
    group: ALERT_RULES.find((row) => row.rule === entry.rule)?.group ?? "backends",
    state: "firing",
    silenced_by: silenceOf({ ...entry, ended_at: _ended, ending: _ending, is_read: _read }),
  });
  const unread = (): number => entries.filter((entry) => !entry.is_read).length;
  const all = (): AlertsView => ({
    alerts: entries.filter((entry) => entry.ended_at === null).map(alertOf),
    suppressed: [],
    silences,
    unread: unread(),
  });
  const named = (number: number): InboxEntryView =>
    entries.find((entry) => entry.number === number) ??
    raise(fault("not_found", `there is no alert ${String(number)}`, null));
  const rules = (): AlertRuleView[] =>
    ALERT_RULES.map((row) => {
      const fired = entries.filter((entry) => entry.rule === row.rule);
      return {
        ...row,
        delivery: delivery.get(row.rule) ?? "notification",
        fired_last_week: fired.length,
        last_fired_at: fired[0]?.fired_at ?? null,
      };
    });
  const incidentOf = (number: number): IncidentView => {
    const alert = named(number);
    const events = [...ownEvents(alert), ...(notes.get(number) ?? [])].toSorted((one, other) => one.at - other.at);
    const lines = events.map((event) => `- ${new Date(event.at).toISOString()} (${event.source}): ${event.text}\n`);
    const markdown = `# ${alert.title}\n\n${alert.detail}\n\n## Time line\n\n${lines.join("")}`;
    return { alert, events, markdown };
  };
  return {
    alerts: () => answer(all),
    alertAcknowledge: ({ number }) =>
      answer(() => {
        if (named(number).ended_at !== null)
          raise(fault("not_found", `no alert with the number ${String(number)} fires`, null));
        entries = entries.map((entry) =>
          entry.number === number ? { ...entry, acknowledged_at: now(), is_read: true } : entry,
        );
        changed("alerts");
        return all();
      }),
    alertSilence: ({ rule, scope, reason, until }) =>
      answer(() => {
        if (until <= now()) raise(fault("invalid_input", "name a time in the future", null, "until"));
        const silence: SilenceView = {
          number: FIRST_SILENCE + silences.length,
          rule: rule ?? null,
          scope: scope ?? null,
          reason: reason ?? "",
          created_at: now(),
          until,
        };
        silences = [...silences, silence];
        changed("alerts");
        return silence;
      }),
    silenceRemove: ({ number }) =>
      answer(() => {
        silences = silences.filter((silence) => silence.number !== number);
        changed("alerts");
        return null;
      }),
    alertRules: () => answer(rules),
    alertRuleSet: ({ rule, delivery: wanted }) =>
      answer(() => {
        delivery.set(rule, wanted);
        changed("alerts", "settings");
        return rules();
      }),
    inbox: ({ before, unread_only, limit }) =>
      answer(() => {
        const rest = entries.filter(
          (entry) => entry.number < (before ?? Number.MAX_SAFE_INTEGER) && !(unread_only === true && entry.is_read),
        );
        const page = rest.slice(0, limit);
        return { entries: page, unread: unread(), next: rest.length > limit ? (page.at(-1)?.number ?? null) : null };
      }),
    inboxRead: ({ number }) =>
      answer(() => {
        entries = entries.map((entry) =>
          (number ?? entry.number) === entry.number ? { ...entry, is_read: true } : entry,
        );
        changed("alerts");
        return null;
      }),
    incident: ({ number }) => answer(() => incidentOf(number)),
    incidentNote: ({ number, note }) =>
      answer(() => {
        named(number);
        notes.set(number, [...(notes.get(number) ?? []), { at: now(), source: "note", text: note }]);
        changed("alerts");
        return incidentOf(number);
      }),
  };
}
