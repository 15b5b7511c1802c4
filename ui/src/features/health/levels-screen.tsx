/** Which objectives are kept, and what is left of the failures that they allow? */
import { HealthPage } from "@/features/health/health-page";
import { LevelRows } from "@/features/health/level-rows";
import { ObjectivesCard } from "@/features/health/objectives-card";
import { Card } from "@/components/layout/card";
import { Reading } from "@/components/notice/reading";
import { SkeletonCard } from "@/components/notice/skeleton";
import { useServiceLevels } from "@/ipc/health-queries";

export function LevelsScreen() {
  const levels = useServiceLevels();
  return (
    <HealthPage current="levels" lead={levels.data && `${levels.data.finding}.`}>
      <Reading of={levels} skeleton={<SkeletonCard label="Loading service levels" rows={3} />}>
        {(all) => (
          <>
            <Card
              title="Where they stand"
              note="of the requests that a backend is accountable for; for services, of the observed time"
              flush
            >
              <LevelRows levels={all.levels} />
            </Card>
            <ObjectivesCard {...all} />
          </>
        )}
      </Reading>
    </HealthPage>
  );
}
