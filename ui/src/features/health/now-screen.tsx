/** Can I work, how well did each backend serve, and do the services work? */
import { HeartPulse } from "lucide-react";
import { BackendRows } from "@/features/health/backend-rows";
import { DependencyTree } from "@/features/health/dependency-tree";
import { ExpiriesCard } from "@/features/health/expiries-card";
import { HealthPage } from "@/features/health/health-page";
import { ServicesCard } from "@/features/health/service-rows";
import { Card } from "@/components/layout/card";
import { EmptyState } from "@/components/notice/empty-state";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { SkeletonCard } from "@/components/notice/skeleton";
import { useHealth, useHealthTree, useServices } from "@/ipc/health-queries";
import { useClients, useKeys } from "@/ipc/queries";

export function NowScreen() {
  const health = useHealth();
  const services = useServices();
  const tree = useHealthTree();
  const keys = useKeys().data;
  const clients = useClients().data;
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
            <>
              <Reading of={tree} skeleton={<SkeletonCard label="Loading what answers depend on" rows={6} />}>
                {({ finding, nodes }) => (
                  <Card title="Dependencies" note={inNote(finding)} flush>
                    <DependencyTree nodes={nodes} />
                  </Card>
                )}
              </Reading>
              <Card title="Backends" note="the worst first; only observed time counts" flush>
                <BackendRows backends={backends} />
              </Card>
              <ExpiriesCard keys={keys ?? []} clients={clients ?? []} />
            </>
          )
        }
      </Reading>
      <Reading of={services} skeleton={<SkeletonCard label="Loading services" rows={2} />}>
        {(all) => <ServicesCard view={all} />}
      </Reading>
    </HealthPage>
  );
}

/** A sentence as it stands beside a title. */
function inNote(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
