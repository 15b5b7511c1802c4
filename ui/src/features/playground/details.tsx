/** The routing of a prompt and its reason, its usage, and every attempt. */
import { Facts, type Fact } from "@/components/text/facts";
import { PanelLink } from "@/components/layout/panel-link";
import { Unpriced } from "@/components/text/unpriced";
import type { PlaygroundAttemptView, PlaygroundRunView, PlaygroundUsageView } from "@/ipc/bindings";
import { formatMoneyFine } from "@/lib/money";
import { formatCount, formatDuration } from "@/lib/quantity";
import { COST_BASIS } from "@/lib/tables";
import { formatExact } from "@/lib/time";
import { requestsPath } from "@/lib/request-filter";

export function Details({ run }: { run: PlaygroundRunView | undefined }) {
  if (run === undefined) return <p className="text-ink-3">Shows usage, cost and routing once a request is sent.</p>;
  return (
    <div className="flex flex-col gap-4">
      <Facts facts={factsOf(run)} />
      {run.record !== null && run.record.attempts.length > 0 && <Attempts attempts={run.record.attempts} />}
    </div>
  );
}

function factsOf(run: PlaygroundRunView): Fact[] {
  const { record } = run;
  return [
    { name: "Sent", value: formatExact(run.started_at) },
    {
      name: "Backend",
      value:
        run.backend === null ? (
          "none"
        ) : (
          <PanelLink path={`/backends/${encodeURIComponent(run.backend)}`}>{run.backend}</PanelLink>
        ),
    },
    ...(record === null
      ? []
      : [
          { name: "Routing reason", value: record.explanation === "" ? "no backend was chosen" : record.explanation },
          { name: "Model billed", value: record.model_billed ?? "not reported" },
          { name: "Tokens", value: record.usage === null ? "not reported" : <Tokens usage={record.usage} /> },
          {
            name: "Cost",
            value:
              record.cost_nano_usd === null ? (
                <Unpriced />
              ) : (
                <>
                  {record.cost_basis !== "not_billed" && `${formatMoneyFine(record.cost_nano_usd)} `}
                  <span className="text-ink-3">{COST_BASIS[record.cost_basis].toLowerCase()}</span>
                </>
              ),
          },
        ]),
    { name: "Finish reason", value: run.finish_reason ?? "none" },
    { name: "Status", value: run.http_status === null ? "none" : String(run.http_status) },
    {
      name: "Dropped fields",
      value: run.dropped.length === 0 ? "none" : `${run.dropped.join(", ")} (not supported by the backend)`,
    },
    {
      name: "Request",
      value:
        run.request === null ? (
          "none"
        ) : (
          <PanelLink path={requestsPath({ request: run.request })}>
            <span className="font-mono text-12">{run.request}</span>
          </PanelLink>
        ),
    },
  ];
}

/** Tokens by class, without classes that are zero except the two that everyone looks for. */
function Tokens({ usage }: { usage: PlaygroundUsageView }) {
  const parts: [number, string][] = [
    [usage.cache_read, "read from cache"],
    [usage.cache_write, "written to cache"],
    [usage.reasoning, "reasoning"],
  ];
  const named = parts.filter(([tokens]) => tokens > 0).map(([tokens, name]) => `${formatCount(tokens)} ${name}`);
  return (
    <>
      {formatCount(usage.input)} in, {formatCount(usage.output)} out
      {named.length > 0 && <span className="text-ink-3">; {named.join(", ")}</span>}
    </>
  );
}

function Attempts({ attempts }: { attempts: PlaygroundAttemptView[] }) {
  return (
    <section aria-label="Attempts">
      <h3 className="mb-1.5 text-12 font-medium text-ink-3">
        {attempts.length === 1 ? "One attempt" : `${attempts.length} attempts`}
      </h3>
      <ol className="overflow-hidden rounded-control border border-line">
        {attempts.map((attempt, index) => (
          <li key={index} className="border-b border-line px-3 py-2 text-12 last:border-b-0">
            <div className="flex items-baseline gap-3">
              <span className="text-ink-1">{attempt.backend}</span>
              <span className="min-w-0 truncate font-mono text-ink-2">{attempt.model}</span>
              <span className="numeric ml-auto text-ink-2">{attempt.http_status ?? "no response"}</span>
              <span className="numeric w-16 text-ink-3">{formatDuration(attempt.duration_ms)}</span>
            </div>
            {attempt.error !== null && <p className="mt-0.5 text-bad [overflow-wrap:anywhere]">{attempt.error}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}
