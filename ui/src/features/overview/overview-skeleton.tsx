/** The overview while its script or its data are loaded. */
import type { ReactNode } from "react";
import { Skeleton } from "@/components/notice/skeleton";

export function OverviewFrame({ children }: { children: ReactNode }) {
  return <div className="@container flex min-h-full flex-col gap-4 px-6 pt-5 pb-6">{children}</div>;
}

export function OverviewSkeleton() {
  return (
    <div role="status" aria-label="Loading overview" className="flex flex-1 flex-col gap-4">
      <div className="flex h-[68px] items-center gap-4 rounded-card border border-line bg-surface-1 px-5">
        <Skeleton className="size-6 rounded-full" />
        <Skeleton className="h-4 w-56" />
      </div>
      <Skeleton className="h-[92px] rounded-card" />
      <div className="grid flex-1 grid-cols-[minmax(0,1fr)_minmax(264px,336px)] gap-4">
        <Skeleton className="rounded-card" />
        <Skeleton className="rounded-card" />
      </div>
    </div>
  );
}
