/** Am I ready to work: the verdict, the score and its parts, every check with its evidence and fix. */
import { ListChecks } from "lucide-react";
import { useRef } from "react";
import { ChecksList } from "@/features/readiness/checks-list";
import { RunHistory } from "@/features/readiness/run-history";
import { Scorecard } from "@/features/readiness/scorecard";
import { Button } from "@/components/button/button";
import { EmptyState } from "@/components/notice/empty-state";
import { Page } from "@/components/layout/page";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { CheckSet, ReadinessView, ReadinessRunView } from "@/ipc/bindings";
import { useReadiness } from "@/ipc/queries";
import { RUN_CHECKS } from "@/lib/action";

export function ReadinessScreen() {
  const main = useRef<HTMLButtonElement>(null);
  const readiness = useReadiness();
  const start = useAction("readinessStart", (call, set: CheckSet) => call({ set }));
  const cancel = useAction("readinessCancel", (call) => call());
  const run = readiness.data?.run ?? null;
  const isRunning = run?.state === "running";
  const report = {
    onError: notifyError,
  };
  const begin = (set: CheckSet) => {
    // The button of the quick checks goes away while it runs.
    main.current?.focus();
    start.mutate(set, report);
  };
  return (
    <Page
      title="Readiness"
      lead={readiness.data && leadOf(run)}
      actions={
        <>
          {!isRunning && (
            <Button busy={start.isPending} onClick={() => begin("quick")}>
              {RUN_CHECKS.quick}
            </Button>
          )}
          {/* One button for both, so that the focus stays where it was. */}
          <Button
            ref={main}
            look={isRunning ? "plain" : "primary"}
            icon={isRunning ? undefined : ListChecks}
            busy={start.isPending || cancel.isPending}
            onClick={() => (isRunning ? cancel.mutate(undefined, report) : begin("full"))}
          >
            {isRunning ? "Cancel run" : RUN_CHECKS.full}
          </Button>
        </>
      }
    >
      <Reading of={readiness} skeleton={<ReadinessSkeleton />}>
        {(data) => <Body readiness={data} />}
      </Reading>
    </Page>
  );
}

function leadOf(run: ReadinessRunView | null): string {
  if (run === null) return "No checks have run yet.";
  return run.state === "running" ? `Running: ${run.sentence}.` : `${run.sentence}.`.replace("..", ".");
}

function Body({ readiness: { run, history } }: { readiness: ReadinessView }) {
  if (run === null) {
    return (
      <section aria-label="No run yet" className="rounded-card border border-line bg-surface-1">
        <EmptyState icon={ListChecks} title="No checks have run yet">
          The checks test the gateway, the vault, the keys and every backend, and tell you how to fix problems. They are
          free. The quick ones cover local parts only and take under three seconds.
        </EmptyState>
      </section>
    );
  }
  return (
    <div className="grid flex-1 grid-cols-1 items-start gap-4 @min-[760px]:grid-cols-[minmax(0,1fr)_296px]">
      <ChecksList run={run} />
      <div className="order-first grid grid-cols-1 gap-4 @min-[560px]:grid-cols-2 @min-[760px]:order-none @min-[760px]:grid-cols-1">
        <Scorecard run={run} />
        <RunHistory history={history} />
      </div>
    </div>
  );
}

function ReadinessSkeleton() {
  return (
    <div
      role="status"
      aria-label="Loading checks"
      className="grid flex-1 grid-cols-1 gap-4 @min-[760px]:grid-cols-[minmax(0,1fr)_296px]"
    >
      <Skeleton className="min-h-96 rounded-card" />
      <Skeleton className="h-72 rounded-card" />
    </div>
  );
}
