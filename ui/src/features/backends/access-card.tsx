/** One key's breaker, cooldowns and block, each with reason and end, and manual overrides. */
import { useAccessForce } from "@/features/backends/access-actions";
import { AvailabilityBadge, AvailabilityWhy } from "@/components/state/availability";
import { Button } from "@/components/button/button";
import { Hint } from "@/components/overlay/hint";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { StateBadge } from "@/components/state/state-mark";
import { Until } from "@/components/text/until";
import type { EndpointView, BreakerOverride } from "@/ipc/bindings";
import { AVAILABILITY, BREAKER, FORCED_WORD } from "@/lib/tables";
import type { ReactNode } from "react";
import { formatPercent } from "@/lib/percent";

export function AccessCard({ access, isOnly }: { access: EndpointView; isOnly: boolean }) {
  const { availability, forced } = access;
  const name = access.credential_label ?? access.credential ?? "no key";
  return (
    <section aria-label={isOnly ? "Now" : `Now, with ${name}`} className="flex flex-col gap-3">
      <header className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <h3 className="font-semibold">{isOnly ? "Now" : name}</h3>
        <AvailabilityBadge of={availability} />
        {availability.state !== "ready" && (
          <p className="w-full text-ink-2">
            <AvailabilityWhy of={availability} />
          </p>
        )}
      </header>
      <Mechanisms access={access} />
      <ByHand access={access} />
      {forced !== null && <Override forced={forced} />}
    </section>
  );
}

function Mechanisms({ access }: { access: EndpointView }) {
  const { breaker, block, cooldowns, concurrency } = access;
  return (
    <dl className="flex flex-col rounded-control border border-line">
      <Mechanism
        name="Breaker"
        says={
          <StateBadge
            sign={BREAKER[breaker.state]}
            {...(breaker.percent === null
              ? {}
              : { word: `${BREAKER[breaker.state].word}, ${formatPercent(breaker.percent)}` })}
          />
        }
      >
        {breaker.why}
        {breaker.until !== null && (
          <>
            {" "}
            Retries in: <Until at={breaker.until} />.
          </>
        )}
      </Mechanism>
      <Mechanism name="Cooldown" says={<StateBadge sign={cooldowns.length === 0 ? NONE : AVAILABILITY.cooling_down} />}>
        {cooldowns.length === 0
          ? "No rate limit in effect."
          : cooldowns.map((cooldown) => (
              <span key={cooldown.model ?? ""} className="block">
                {cooldown.model !== null && <code className="font-mono text-12 text-ink-1">{cooldown.model} </code>}
                {cooldown.why} <Until at={cooldown.until} />.
              </span>
            ))}
      </Mechanism>
      <Mechanism name="Block" says={<StateBadge sign={block === null ? NONE : AVAILABILITY.blocked} />}>
        {block === null ? (
          "The key and account are accepted."
        ) : (
          <>
            {block.why}{" "}
            {access.credential === null ? (
              block.fix
            ) : (
              <PanelLink path={`/keys/${encodeURIComponent(access.credential)}`}>{block.fix}</PanelLink>
            )}{" "}
            {block.since !== null && (
              <>
                Since <Moment at={block.since} />.
              </>
            )}
          </>
        )}
      </Mechanism>
      <Mechanism
        name="In flight"
        says={`${concurrency.in_flight} ${concurrency.limit === null ? "(no limit)" : `of ${concurrency.limit}`}`}
      >
        {concurrency.limit === null
          ? "Requests running now."
          : concurrency.limit === concurrency.limit_max
            ? "Requests running now, and the limit from Settings."
            : `Requests running now. The limit was lowered from ${concurrency.limit_max ?? "none"} after slow responses or 429s.`}
      </Mechanism>
    </dl>
  );
}

function Override({ forced }: { forced: NonNullable<EndpointView["forced"]> }) {
  return (
    <p role="status" className="text-12 text-ink-2">
      {FORCED_WORD[forced.forced]} by {forced.by}
      {forced.since !== null && (
        <>
          {" "}
          <Moment at={forced.since} />
        </>
      )}
      {forced.until === null ? (
        ", until reset."
      ) : (
        <>
          , <Until at={forced.until} />.
        </>
      )}
    </p>
  );
}

const NONE = { word: "None", shape: "dash", tone: "muted" } as const;

function Mechanism({ name, says, children }: { name: string; says: ReactNode; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[76px_116px_minmax(0,1fr)] gap-x-3 border-t border-line px-3 py-2 first:border-t-0">
      <dt className="text-ink-3">{name}</dt>
      <dd>{says}</dd>
      <dd className="text-12 leading-[19px] text-ink-2">{children}</dd>
    </div>
  );
}

const FORCES: { forced: BreakerOverride; label: string; minutes: number | null; note: string }[] = [
  { forced: "open", label: "Block traffic", minutes: 15, note: "Sends no requests for 15 minutes." },
  {
    forced: "closed",
    label: "Allow traffic",
    minutes: null,
    note: "Sends requests despite failures, for the time in Settings. A block still applies.",
  },
  {
    forced: "monitor-only",
    label: "Monitor only",
    minutes: null,
    note: "Counts failures but never trips, until reset.",
  },
];

function ByHand({ access }: { access: EndpointView }) {
  const { force, reset } = useAccessForce();
  const held = access.forced?.forced;
  return (
    <div role="group" aria-label="Manual override" className="flex flex-wrap items-center gap-2">
      {FORCES.map(({ forced, label, minutes, note }) => (
        <Hint key={forced} text={note}>
          <Button
            size="small"
            aria-pressed={held === forced}
            className={held === forced ? "border-accent" : undefined}
            onClick={() => force(access, forced, minutes)}
          >
            {label}
            {minutes !== null && <span className="text-ink-3">{minutes} min</span>}
          </Button>
        </Hint>
      ))}
      <Hint text="Clears failures, cooldowns, blocks and manual overrides.">
        <Button size="small" look="quiet" onClick={() => reset(access)}>
          Reset
        </Button>
      </Hint>
    </div>
  );
}
