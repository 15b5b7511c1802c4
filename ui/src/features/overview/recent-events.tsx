/** What happened lately, of all sources; a filter keeps one kind. */
import {
  Activity,
  Bell,
  HeartPulse,
  KeyRound,
  ListChecks,
  SlidersHorizontal,
  Unplug,
  type LucideIcon,
} from "lucide-react";
import { useState, type ReactNode } from "react";
import { Card } from "@/components/layout/card";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Select } from "@/components/form/select";
import { SkeletonRows } from "@/components/notice/skeleton";
import { TONE_TEXT } from "@/components/state/state-mark";
import type { RecentEventKind, RecentEventView } from "@/ipc/bindings";
import { useRecentEvents } from "@/ipc/health-queries";
import { classNames } from "@/lib/class-names";

const KINDS: Record<RecentEventKind, { label: string; icon: LucideIcon }> = {
  health: { label: "Health", icon: HeartPulse },
  breaker: { label: "Breakers", icon: Unplug },
  alert: { label: "Alerts", icon: Bell },
  settings: { label: "Settings", icon: SlidersHorizontal },
  key: { label: "Keys", icon: KeyRound },
  checks: { label: "Checks", icon: ListChecks },
};

const ALL = "all";
const OPTIONS: { value: RecentEventKind | typeof ALL; label: string }[] = [
  { value: ALL, label: "All kinds" },
  ...(Object.keys(KINDS) as RecentEventKind[]).map((kind) => ({ value: kind, label: KINDS[kind].label })),
];

export function RecentEvents({ choice }: { choice: ReactNode }) {
  const [kind, setKind] = useState<RecentEventKind | typeof ALL>(ALL);
  const events = useRecentEvents(kind === ALL ? null : kind);
  return (
    <Card
      title="What happened"
      flush
      className="min-h-[218px] flex-[1_1_0] overflow-hidden @min-[960px]:min-h-[78px]"
      action={
        <>
          <Select aria-label="Kind of event" className="w-28" options={OPTIONS} value={kind} onChange={setKind} />
          {choice}
        </>
      }
    >
      <Reading of={events} skeleton={<SkeletonRows rows={4} label="Loading events" />}>
        {(all) =>
          all.length === 0 ? (
            <p className="flex items-center gap-2 px-4 py-3 text-12 text-ink-3">
              <Activity size={14} strokeWidth={1.5} aria-hidden />
              Nothing yet. State changes, alerts, checks and changes of settings show up here.
            </p>
          ) : (
            <div
              role="region"
              aria-label="Latest events"
              tabIndex={0}
              className={classNames(
                "focus-inset h-full overflow-y-auto py-1",
                events.isPlaceholderData && "opacity-60",
              )}
            >
              <ul>
                {all.map((event) => (
                  <Event key={`${event.at} ${event.kind} ${event.title}`} event={event} />
                ))}
              </ul>
            </div>
          )
        }
      </Reading>
    </Card>
  );
}

function Event({ event: { at, kind, tone, title, detail, path } }: { event: RecentEventView }) {
  const { label, icon: Icon } = KINDS[kind];
  return (
    <li className="flex h-7 items-center gap-2.5 px-4">
      <span title={label} className={classNames("shrink-0", tone === "info" ? "text-ink-3" : TONE_TEXT[tone])}>
        <Icon size={14} strokeWidth={1.5} aria-hidden />
        <span className="sr-only">{label}: </span>
      </span>
      <span
        className="min-w-0 flex-1 truncate text-12 text-ink-1"
        title={detail === "" ? undefined : `${title}: ${detail}`}
      >
        {path === null ? (
          title
        ) : (
          <PanelLink look="plain" path={path}>
            {title}
          </PanelLink>
        )}
      </span>
      <span className="numeric shrink-0 text-11 text-ink-3">
        <Moment at={at} />
      </span>
    </li>
  );
}
