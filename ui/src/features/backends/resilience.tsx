/** The state of each of a backend's keys, their history, and a test of other thresholds. */
import { AccessCard } from "@/features/backends/access-card";
import { BackTest } from "@/features/backends/back-test";
import { BreakerTimeline } from "@/features/backends/breaker-timeline";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { useAccesses } from "@/ipc/route-queries";

export function Resilience({ backend }: { backend: string }) {
  const accesses = useAccesses();
  return (
    <div className="flex flex-col gap-5">
      <Reading of={accesses} skeleton={<SkeletonRows rows={3} label="Loading breaker" />}>
        {(all) => {
          const own = all.filter((access) => access.backend === backend);
          return own.map((access) => (
            <AccessCard key={access.credential ?? ""} access={access} isOnly={own.length === 1} />
          ));
        }}
      </Reading>
      <BreakerTimeline backend={backend} />
      <BackTest backend={backend} />
    </div>
  );
}
