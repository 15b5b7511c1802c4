/**
 * The four states of loaded data: loading (skeleton), loaded, loaded but possibly stale (kept and marked), and failed.
 * Accepts the shape of a query without depending on the query library.
 */
import { RotateCw, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/button/button";
import { EmptyState } from "@/components/notice/empty-state";
import { Notice } from "@/components/notice/notice";
import type { ApiError } from "@/ipc/bindings";
import { useNow } from "@/lib/clock";
import { formatRelative } from "@/lib/time";

export interface ReadingState<Data> {
  data: Data | undefined;
  error: ApiError | null;
  isFetching: boolean;
  dataUpdatedAt: number;
  refetch: () => unknown;
}

interface ReadingProps<Data> {
  of: ReadingState<Data>;
  skeleton: ReactNode;
  children: (data: Data) => ReactNode;
}

export function Reading<Data>({ of: reading, skeleton, children }: ReadingProps<Data>) {
  const { data, error } = reading;
  if (data === undefined) return error === null ? skeleton : <ReadingError error={error} reading={reading} />;
  return (
    <>
      {error !== null && <StaleNotice error={error} reading={reading} />}
      {children(data)}
    </>
  );
}

function ReadingError({ error, reading }: { error: ApiError; reading: ReadingState<unknown> }) {
  if (error.code === "offline") {
    return (
      <section role="alert" aria-label="Not connected" className="rounded-card border border-line bg-surface-1">
        <EmptyState icon={Unplug} title={error.message} action={<RetryButton reading={reading} />}>
          {error.hint}
        </EmptyState>
      </section>
    );
  }
  return (
    <Notice tone="bad" title={error.message} action={<RetryButton reading={reading} />}>
      {error.hint}
    </Notice>
  );
}

function StaleNotice({ error, reading }: { error: ApiError; reading: ReadingState<unknown> }) {
  const now = useNow();
  return (
    <Notice
      tone="warn"
      title={`Out of date: last updated ${formatRelative(reading.dataUpdatedAt, now)}.`}
      action={<RetryButton reading={reading} />}
    >
      {error.message} {error.hint}
    </Notice>
  );
}

function RetryButton({ reading }: { reading: ReadingState<unknown> }) {
  return (
    <Button size="small" icon={RotateCw} busy={reading.isFetching} onClick={() => reading.refetch()}>
      Try again
    </Button>
  );
}
