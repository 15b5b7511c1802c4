/** The newest requests, to see what a tool just did. */
import { Inbox } from "lucide-react";
import { Card } from "@/components/layout/card";
import { Cost } from "@/components/text/cost";
import { EmptyState } from "@/components/notice/empty-state";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { useMeasuredHeight } from "@/components/chart/measured";
import { StateMark } from "@/components/state/state-mark";
import type { RequestView } from "@/ipc/bindings";
import { useRequests } from "@/ipc/queries";
import { classNames } from "@/lib/class-names";
import { formatDuration } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";
import { REQUEST } from "@/lib/tables";
import type { ReactNode } from "react";

const ROWS_MAX = 12;
const ROW_PX = 35;
const HEADER_PX = 43;

/**
 * As many rows as there is room for: beside the other parts of the screen, so that it does not scroll at 1280 by 800.
 * Where it scrolls anyway, some.
 */
export function RecentRequests({ choice }: { choice: ReactNode }) {
  const requests = useRequests({}, ROWS_MAX);
  const [height, measure] = useMeasuredHeight(HEADER_PX + ROWS_MAX * ROW_PX);
  const rows = Math.min(Math.max(Math.floor((height - HEADER_PX) / ROW_PX), 1), ROWS_MAX);
  const isEmpty = requests.data?.pages[0]?.requests.length === 0;
  return (
    <div
      ref={measure}
      className={classNames(
        "flex flex-col",
        isEmpty ? "flex-1" : "min-h-[218px] flex-[1_1_0] @min-[960px]:min-h-[78px]",
      )}
    >
      <Card
        title="Recent requests"
        className="flex-1 overflow-hidden"
        flush
        action={
          <>
            <PanelLink path="/requests" className="text-12">
              All requests
            </PanelLink>
            {choice}
          </>
        }
      >
        <Reading of={requests} skeleton={<SkeletonRows rows={rows} label="Loading requests" />}>
          {(data) => <Rows rows={data.pages.flatMap((page) => page.requests).slice(0, rows)} />}
        </Reading>
      </Card>
    </div>
  );
}

function Rows({ rows }: { rows: RequestView[] }) {
  if (rows.length === 0) {
    return (
      <EmptyState icon={Inbox} title="No requests yet">
        Point a tool at the gateway to see its requests and their cost here.
      </EmptyState>
    );
  }
  return (
    <ul className="@container grid h-full auto-rows-[minmax(34px,40px)]">
      {rows.map((request) => (
        <li key={request.id} className="border-b border-line last:border-b-0">
          <PanelLink
            look="none"
            path={requestsPath({ request: request.id })}
            className="focus-inset flex h-full items-center gap-3 px-4 hover:bg-surface-2"
            title={request.error ?? undefined}
          >
            <StateMark sign={REQUEST[request.state]} />
            <span className="sr-only">{REQUEST[request.state].word},</span>
            <span className="min-w-0 flex-1 truncate text-ink-1">{request.model_asked}</span>
            <span className="hidden w-[26%] truncate text-ink-2 @min-[520px]:inline">{request.client}</span>
            <span className="numeric hidden w-14 text-ink-2 @min-[440px]:inline">
              {request.total_ms === null ? "–" : formatDuration(request.total_ms)}
            </span>
            <span className="numeric w-20 text-ink-1">
              <Cost cost={request.cost_nano_usd} basis={request.cost_basis} />
            </span>
            <span className="numeric w-20 text-ink-3">
              <Moment at={request.started_at} />
            </span>
          </PanelLink>
        </li>
      ))}
    </ul>
  );
}
