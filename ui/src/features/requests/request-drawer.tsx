/** One request in full: the routing decision, timing, cost and how the cost is known. */
import { Link2, Copy, ScrollText, Play, Server } from "lucide-react";
import { useContextualActions } from "@/components/menu/contextual-actions";
import { CopyButton } from "@/components/button/copy-button";
import { Cost } from "@/components/text/cost";
import { DialogBody, Drawer } from "@/components/overlay/dialog";
import { Facts, type Fact } from "@/components/text/facts";
import { Notice } from "@/components/notice/notice";
import { PanelLink } from "@/components/layout/panel-link";
import { StateBadge } from "@/components/state/state-mark";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { copyText } from "@/components/overlay/toast";
import { RequestCode } from "@/features/requests/request-code";
import { RequestPath } from "@/features/requests/request-path";
import { Tokens } from "@/features/requests/tokens";
import { Waterfall } from "@/features/requests/waterfall";
import type { Count, RequestPathView, RequestView } from "@/ipc/bindings";
import { useRequestPath } from "@/ipc/route-queries";
import { requestsPath } from "@/lib/request-filter";
import { COST_BASIS, REQUEST, USAGE_BASIS } from "@/lib/tables";
import { formatExact } from "@/lib/time";

export function RequestDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const path = useRequestPath(id);
  const request = path.data?.request;
  return (
    <Drawer
      open
      onClose={onClose}
      title={request?.model_asked ?? "Request"}
      description={request && <StateBadge sign={REQUEST[request.state]} />}
    >
      <DialogBody className="flex flex-col gap-5">
        <Reading of={path} skeleton={<DrawerSkeleton />}>
          {(data) => <RequestDetail path={data} />}
        </Reading>
      </DialogBody>
    </Drawer>
  );
}

const replayPath = ({ model_asked: model }: RequestView) => `/playground?model=${encodeURIComponent(model)}`;

/** For the palette. */
function useRequestActions(request: RequestView): void {
  const { id, model_asked: name, client, backend } = request;
  useContextualActions({
    kind: "Request",
    id,
    name,
    isOpen: true,
    actions: [
      { label: "Replay in the playground", icon: Play, path: replayPath(request) },
      { label: "Copy request id", icon: Copy, onChoose: () => copyText(id, "the request id") },
      { label: `Open client ${client}`, icon: Link2, path: `/clients/${encodeURIComponent(client)}` },
      { label: `Show requests of ${client}`, icon: ScrollText, path: requestsPath({ client }) },
      ...(backend === null
        ? []
        : [{ label: `Open backend ${backend}`, icon: Server, path: `/backends/${encodeURIComponent(backend)}` }]),
    ],
  });
}

export function RequestDetail({ path }: { path: RequestPathView }) {
  const { request, failure } = path;
  useRequestActions(request);
  return (
    <>
      {failure !== null && (
        <Notice tone={request.state === "failed" ? "bad" : "warn"} title={failure.cause}>
          {failure.next_step}
        </Notice>
      )}
      <Waterfall path={path} />
      <RequestPath path={path} />
      <Facts facts={factsOf(path)} />
      <RequestCode id={request.id} />
      <p className="text-12 text-ink-2">
        <PanelLink path={replayPath(request)}>Replay in the playground</PanelLink> with a prompt of your own: prompts
        are not kept.
      </p>
    </>
  );
}

function DrawerSkeleton() {
  return (
    <div role="status" aria-label="Loading request" className="flex flex-col gap-5">
      <Skeleton className="h-16 rounded-control" />
      <Skeleton className="h-24 rounded-control" />
      <Skeleton className="h-48 rounded-control" />
    </div>
  );
}

/** Leaves out what the cause and the attempts above already say, and what a request without an answer cannot have. */
function factsOf({ request, failure, attempts }: RequestPathView): Fact[] {
  const hasAnswer = request.state !== "failed" || request.usage_basis !== null;
  const isStatusShown = attempts.some(({ http_status: status }) => status === request.http_status);
  const tokens = (count: Count | null) => <Tokens count={count} basis={request.usage_basis} unknown="not reported" />;
  return [
    ...(request.error === null || failure?.cause.endsWith(request.error) === true
      ? []
      : [{ name: "Client got", value: request.error }]),
    { name: "Started", value: formatExact(request.started_at) },
    {
      name: "Client",
      value: <PanelLink path={`/clients/${encodeURIComponent(request.client)}`}>{request.client}</PanelLink>,
    },
    ...(request.project === null
      ? []
      : [
          {
            name: "Project",
            value: <PanelLink path={requestsPath({ project: request.project })}>{request.project}</PanelLink>,
          },
        ]),
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
    ...(request.device === null ? [] : [{ name: "Made on", value: request.device }]),
    ...(isStatusShown
      ? []
      : [{ name: "Status", value: request.http_status === null ? "none" : String(request.http_status) }]),
    { name: "Streaming", value: request.stream ? "streamed" : "not streamed" },
    ...(hasAnswer
      ? [
          { name: "Model billed", value: request.model_billed ?? "not reported" },
          { name: "Finish reason", value: request.finish_reason ?? "not reported" },
          { name: "Tokens in", value: tokens(request.input_tokens) },
          { name: "Of these, cached", value: tokens(request.cache_read_tokens) },
          { name: "Tokens out", value: tokens(request.output_tokens) },
        ]
      : []),
    ...(request.usage_basis === null
      ? []
      : [{ name: "Token source", value: USAGE_BASIS[request.usage_basis].toLowerCase() }]),
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
    ...(request.cost_basis === "not_billed"
      ? []
      : [{ name: "Cost source", value: COST_BASIS[request.cost_basis].toLowerCase() }]),
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
