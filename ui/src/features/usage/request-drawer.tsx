/** One request in full: the routing decision, timing, cost and how the cost is known. */
import { CopyButton } from "@/components/copy-button";
import { Cost } from "@/components/cost";
import { DialogBody, Drawer } from "@/components/dialog";
import { Facts, type Fact } from "@/components/facts";
import { Notice } from "@/components/notice";
import { PanelLink } from "@/components/panel-link";
import { StateBadge } from "@/components/state-mark";
import { RequestPath } from "@/features/usage/request-path";
import { Tokens } from "@/features/usage/tokens";
import type { Count, RequestView, UsageBasis } from "@/ipc/bindings";
import { formatDuration } from "@/lib/quantity";
import { COST_BASIS } from "@/lib/states";
import { REQUEST } from "@/lib/tables";
import { formatExact } from "@/lib/time";

const TOKENS_BASIS: Record<UsageBasis, string> = {
  reported: "reported by the backend",
  adjusted: "reported by the backend, adjusted where its numbers did not add up",
  estimated: "estimated: the backend reported no usage",
};

export function RequestDrawer({ request, onClose }: { request: RequestView | undefined; onClose: () => void }) {
  if (request === undefined) return null;
  return (
    <Drawer
      open
      onClose={onClose}
      title={request.model_asked}
      description={<StateBadge sign={REQUEST[request.state]} />}
    >
      <DialogBody className="flex flex-col gap-5">
        {request.error !== null && <Notice tone={request.state === "failed" ? "bad" : "warn"} title={request.error} />}
        <Timing request={request} />
        <RequestPath id={request.id} />
        <Facts facts={factsOf(request)} />
      </DialogBody>
    </Drawer>
  );
}

/** Time to the first token and streaming time, to scale. */
function Timing({ request: { first_token_ms: first, total_ms: total } }: { request: RequestView }) {
  if (first === null || total === null || total === 0) return null;
  return (
    <figure className="flex flex-col gap-1.5">
      <figcaption className="flex justify-between text-12 text-ink-2">
        <span>First token after {formatDuration(first)}</span>
        <span>{formatDuration(total)} in total</span>
      </figcaption>
      <div aria-hidden className="flex h-2 overflow-hidden rounded-full bg-surface-3">
        <span data-mark className="bg-line-strong" style={{ width: `${(first / total) * 100}%` }} />
        <span data-mark className="flex-1 bg-accent" />
      </div>
    </figure>
  );
}

function factsOf(request: RequestView): Fact[] {
  const tokens = (count: Count | null) => <Tokens count={count} basis={request.usage_basis} unknown="not reported" />;
  return [
    { name: "Started", value: formatExact(request.started_at) },
    {
      name: "Client",
      value: <PanelLink path={`/clients/${encodeURIComponent(request.client)}`}>{request.client}</PanelLink>,
    },
    {
      name: "Backend",
      value:
        request.backend === null ? (
          "none"
        ) : (
          <>
            <PanelLink path={`/backends/${encodeURIComponent(request.backend)}`}>{request.backend}</PanelLink>
            {request.attempts === 0 && request.state === "failed" && " (not contacted)"}
          </>
        ),
    },
    { name: "Routing reason", value: request.explanation },
    { name: "Model billed", value: request.model_billed ?? "not reported" },
    { name: "Status", value: request.http_status === null ? "none" : String(request.http_status) },
    { name: "Streaming", value: request.stream ? "streamed" : "not streamed" },
    { name: "Finish reason", value: request.finish_reason ?? "not reported" },
    { name: "Tokens in", value: tokens(request.input_tokens) },
    { name: "Of these, cached", value: tokens(request.cache_read_tokens) },
    { name: "Tokens out", value: tokens(request.output_tokens) },
    ...(request.usage_basis === null ? [] : [{ name: "Token source", value: TOKENS_BASIS[request.usage_basis] }]),
    ...(request.usage_raw === null
      ? []
      : [
          {
            name: "As reported",
            value: <code className="font-mono text-12 whitespace-pre-wrap text-ink-2">{request.usage_raw}</code>,
          },
        ]),
    {
      name: "Cost",
      value: (
        <>
          <Cost cost={request.cost_nano_usd} basis={request.cost_basis} />
          {request.cost_basis === "not_billed" && request.backend === "mock" && " (mock)"}
        </>
      ),
    },
    { name: "Cost source", value: COST_BASIS[request.cost_basis] },
    {
      name: "Request id",
      value: (
        <span className="flex flex-wrap items-center gap-1">
          <code className="font-mono text-12">{request.id}</code>
          <CopyButton text={request.id} />
        </span>
      ),
    },
  ];
}
