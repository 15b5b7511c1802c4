/** Which keys and tokens end soon, week by week. */
import { Card } from "@/components/layout/card";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import type { ClientView, KeyView } from "@/ipc/bindings";
import { useNow } from "@/lib/clock";
import { DAY_MS, formatDay } from "@/lib/time";

const WEEK_MS = 7 * DAY_MS;
/** Further ahead nothing needs to be planned. */
const AHEAD_MS = 13 * WEEK_MS;
/** What ended longer ago is no longer news. */
const BACK_MS = 2 * WEEK_MS;

interface Expiry {
  id: string;
  label: string;
  what: string;
  at: number;
  path: string;
}

export function ExpiriesCard({ keys, clients }: { keys: KeyView[]; clients: ClientView[] }) {
  const now = useNow();
  const weeks = byWeek(expiriesOf(keys, clients), now);
  if (weeks.length === 0) return null;
  return (
    <Card title="Ends soon" note="keys and tokens, week by week" flush>
      <ul>
        {weeks.map(({ words, expiries }) => (
          <li key={words} className="flex gap-4 border-b border-line px-4 py-2 last:border-b-0">
            <span className="w-36 shrink-0 text-12 leading-5 text-ink-3">{words}</span>
            <ul className="min-w-0 flex-1">
              {expiries.map(({ id, label, what, at, path }) => (
                <li key={id} className="flex items-baseline gap-2">
                  <PanelLink look="plain" path={path} className="truncate text-ink-1">
                    {label}
                  </PanelLink>
                  <span className="text-12 text-ink-3">{what}</span>
                  <span className={at < now ? "ml-auto text-12 text-bad" : "ml-auto text-12 text-ink-2"}>
                    {at < now ? "ended " : "ends "}
                    <Moment at={at} />
                  </span>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function expiriesOf(keys: KeyView[], clients: ClientView[]): Expiry[] {
  return [
    ...keys.map(({ id, label, expires_at: at }) => ({ id: `key ${id}`, label, what: "key", at, path: `/keys/${id}` })),
    ...clients.map(({ id, expires_at: at }) => ({
      id: `client ${id}`,
      label: id,
      what: "client token",
      at,
      path: `/clients/${id}`,
    })),
  ].flatMap((one) => (one.at === null ? [] : [{ ...one, at: one.at }]));
}

/** Weeks with an end in them, the earliest first. */
function byWeek(all: Expiry[], now: number): { words: string; expiries: Expiry[] }[] {
  const near = all
    .filter(({ at }) => at > now - BACK_MS && at < now + AHEAD_MS)
    .toSorted((left, right) => left.at - right.at);
  const weeks = new Map<string, Expiry[]>();
  for (const expiry of near) {
    const words = weekWords(expiry.at, now);
    weeks.set(words, [...(weeks.get(words) ?? []), expiry]);
  }
  return [...weeks].map(([words, expiries]) => ({ words, expiries }));
}

function mondayOf(moment: number): number {
  const day = new Date(moment);
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - ((day.getDay() + 6) % 7));
  return day.getTime();
}

function weekWords(at: number, now: number): string {
  if (at < now) return "Ended";
  const weeks = Math.round((mondayOf(at) - mondayOf(now)) / WEEK_MS);
  if (weeks === 0) return "This week";
  return weeks === 1 ? "Next week" : `Week of ${formatDay(mondayOf(at))}`;
}
