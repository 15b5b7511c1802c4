/** Can I work, how well did each backend serve, and which objectives are kept? */
import { HeartPulse } from "lucide-react";
import { BackendRows } from "@/features/health/backend-rows";
import { LevelRows } from "@/features/health/level-rows";
import { Card } from "@/components/card";
import { EmptyState } from "@/components/empty-state";
import { Page } from "@/components/page";
import { PanelLink } from "@/components/panel-link";
import { Reading } from "@/components/reading";
import { SkeletonRows } from "@/components/skeleton";
import { useHealth, useServiceLevels } from "@/ipc/health-queries";

export function HealthScreen() {
  const health = useHealth();
  const levels = useServiceLevels();
  return (
    <Page title="Health" lead={health.data && `${health.data.finding}.`}>
      <Reading of={health} skeleton={<Loading label="Loading health" rows={4} />}>
        {({ backends }) =>
          backends.length === 0 ? (
            <section aria-label="Backends" className="rounded-card border border-line bg-surface-1">
              <EmptyState
                icon={HeartPulse}
                title="No backend yet"
                action={<PanelLink path="/backends?add=true">Add a backend</PanelLink>}
              >
                A backend is watched from the moment it is added: whether it answers, how fast, and for how long.
              </EmptyState>
            </section>
          ) : (
            <Card title="Backends" note="the worst first; only observed time counts" flush>
              <BackendRows backends={backends} />
            </Card>
          )
        }
      </Reading>
      <Reading of={levels} skeleton={<Loading label="Loading service levels" rows={3} />}>
        {(all) => (
          <Card title="Service levels" note={all.finding.toLowerCase()} flush>
            <LevelRows levels={all.levels} />
          </Card>
        )}
      </Reading>
    </Page>
  );
}

function Loading({ label, rows }: { label: string; rows: number }) {
  return (
    <div className="rounded-card border border-line bg-surface-1">
      <SkeletonRows rows={rows} label={label} />
    </div>
  );
}
