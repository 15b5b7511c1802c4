/** How a request was handled: attempts with wait, failure and cost, skipped backends, and the cache. */
import { Cost } from "@/components/text/cost";
import { Invoice } from "@/components/text/invoice";
import { PanelLink } from "@/components/layout/panel-link";
import { SetPriceButton } from "@/connected/set-price";
import { StateBadge, StateMark } from "@/components/state/state-mark";
import type { ExcludedCandidateView, RequestAttemptView, RequestCacheView, RequestPathView } from "@/ipc/bindings";
import { formatMoneyFine } from "@/lib/money";
import { formatDuration } from "@/lib/quantity";
import { CACHE_OUTCOME, FAILURE_OWNER, type Sign } from "@/lib/tables";

const WORKED: Sign = { word: "Worked", shape: "disc", tone: "ok" };
const FAILED: Sign = { word: "Failed", shape: "barred", tone: "bad" };

export function RequestPath({ path }: { path: RequestPathView }) {
  return (
    <section aria-label="Path" className="flex flex-col gap-2.5 rounded-control border border-line px-3 py-2.5">
      <Attempts path={path} />
      {path.passed_over.length > 0 && <PassedOver all={path.passed_over} />}
      <CacheLine cache={path.cache} />
    </section>
  );
}

function Attempts({ path: { attempts, queued_ms, route, failure } }: { path: RequestPathView }) {
  return (
    <ol aria-label="Attempts" className="flex flex-col gap-2.5">
      {(route !== null || queued_ms !== null) && (
        <li className="flex flex-wrap gap-x-2 text-12 text-ink-2">
          {route !== null && (
            <span>
              route <PanelLink path={`/routing/${encodeURIComponent(route)}`}>{route}</PanelLink>
            </span>
          )}
          {queued_ms !== null && <span>queued {formatDuration(queued_ms)}</span>}
        </li>
      )}
      {attempts.map((attempt, index) => (
        <Attempt key={index} attempt={attempt} place={index + 1} cause={failure?.cause} />
      ))}
    </ol>
  );
}

interface AttemptProps {
  attempt: RequestAttemptView;
  place: number;
  /** Shown above: an attempt that failed of it does not repeat it. */
  cause: string | undefined;
}

function Attempt({ attempt, place, cause }: AttemptProps) {
  const hasFailed = attempt.class !== null;
  const sign = hasFailed ? FAILED : WORKED;
  return (
    <li className="grid grid-cols-[16px_12px_minmax(0,1fr)_auto] items-baseline gap-x-2">
      <span className="text-12 text-ink-3">{place}</span>
      <span className="self-center">
        <StateMark sign={sign} />
      </span>
      <span className="min-w-0">
        <span className="sr-only">{sign.word}: </span>
        <PanelLink path={`/backends/${encodeURIComponent(attempt.backend)}`} className="font-medium">
          {attempt.backend}
        </PanelLink>{" "}
        <code className="font-mono text-12 [overflow-wrap:anywhere] text-ink-2">{attempt.model}</code>
      </span>
      <span className="text-12 whitespace-nowrap text-ink-2">
        {formatDuration(attempt.duration_ms)} · <Cost cost={attempt.cost_nano_usd} basis={attempt.cost_basis} />
      </span>
      <span className="col-span-2 col-start-3 text-12 text-ink-3">
        {[
          attempt.waited_ms > 0 ? `after ${formatDuration(attempt.waited_ms)}` : null,
          attempt.credential === null ? null : `key ${attempt.credential}`,
          attempt.http_status === null ? null : `status ${attempt.http_status}`,
        ]
          .filter((part) => part !== null)
          .join(", ")}
        {hasFailed && (
          <span className="block text-ink-2">
            <span className="inline-block text-bad first-letter:uppercase">{attempt.class}</span>
            {attempt.owner !== null && `, ${FAILURE_OWNER[attempt.owner].toLowerCase()}`}.
            {attempt.error !== null && cause?.endsWith(attempt.error) !== true && ` ${attempt.error}`}
          </span>
        )}
      </span>
      <div className="col-span-2 col-start-3">
        <Invoice invoice={attempt.invoice} label={`Cost of attempt ${place}`} />
        {attempt.invoice.unpriced?.missing != null && (
          <SetPriceButton backend={attempt.backend} model={attempt.model} missing={attempt.invoice.unpriced.missing} />
        )}
      </div>
    </li>
  );
}

function PassedOver({ all }: { all: ExcludedCandidateView[] }) {
  return (
    <ul aria-label="Skipped" className="flex flex-col gap-0.5 border-t border-line pt-2 text-12 text-ink-2">
      {all.map((one) => (
        <li key={`${one.backend}/${one.credential}/${one.model}`}>
          Skipped <span className="font-medium text-ink-1">{one.backend}</span>: {one.reason}
        </li>
      ))}
    </ul>
  );
}

function CacheLine({ cache }: { cache: RequestCacheView }) {
  const gains = [
    cache.saved_nano_usd === null ? null : formatMoneyFine(cache.saved_nano_usd),
    cache.saved_ms === null ? null : formatDuration(cache.saved_ms),
  ].filter((gain) => gain !== null);
  return (
    <div className="flex flex-col gap-0.5 border-t border-line pt-2 text-12">
      <StateBadge sign={CACHE_OUTCOME[cache.outcome]} />
      <span className="text-ink-2">
        {cache.reason}
        {gains.length > 0 && <span className="font-medium text-ok"> Saved {gains.join(" and ")}.</span>}
      </span>
    </div>
  );
}
