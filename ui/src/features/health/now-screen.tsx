/** Can I work, and how well did each backend serve? */
import { HeartPulse } from "lucide-react";
import { BackendRows } from "@/features/health/backend-rows";
import { HealthPage } from "@/features/health/health-page";
import { Card } from "@/components/card";
import { EmptyState } from "@/components/empty-state";
import { PanelLink } from "@/components/panel-link";
import { Reading } from "@/components/reading";
import { SkeletonCard } from "@/components/skeleton";
import { useHealth } from "@/ipc/health-queries";

export function NowScreen() {
  const health = useHealth();
  return (
    <HealthPage current="now" lead={health.data && `${health.data.finding}.`}>
      <Reading of={health} skeleton={<SkeletonCard label="Loading health" rows={4} />}>
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
    </HealthPage>
  );
}
