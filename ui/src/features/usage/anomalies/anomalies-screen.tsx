/** Spending that is unlike what it usually is, each with what explains it. */
import { ShieldCheck } from "lucide-react";
import { Anomaly } from "@/features/usage/anomalies/anomaly";
import { LOOK_BACKS, ZONES, type LookBack } from "@/features/usage/usage-place";
import { Unavailable } from "@/features/usage/unavailable";
import { Choice } from "@/components/form/choice";
import { EmptyState } from "@/components/notice/empty-state";
import { Page } from "@/components/layout/page";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { UsageTabs } from "@/components/layout/usage-tabs";
import type { TimeZoneChoice, UsageAnomaliesView } from "@/ipc/bindings";
import { useUsageAnomalies } from "@/ipc/usage-queries";
import { classNames } from "@/lib/class-names";

export interface AnomaliesPlace {
  zone: TimeZoneChoice;
  look_back: LookBack;
}

interface AnomaliesScreenProps {
  place: AnomaliesPlace;
  onMove: (place: AnomaliesPlace) => void;
}

export function AnomaliesScreen({ place, onMove }: AnomaliesScreenProps) {
  const anomalies = useUsageAnomalies({ zone: place.zone, days: Number(place.look_back) });
  return (
    <Page title="Usage" lead={anomalies.data && leadOf(anomalies.data)}>
      <UsageTabs current="anomalies" />
      <div className="flex flex-wrap items-center gap-2">
        <Choice
          label="Period"
          options={LOOK_BACKS}
          value={place.look_back}
          onChange={(next) => onMove({ ...place, look_back: next })}
        />
        <Choice
          label="Time zone of the days"
          options={ZONES}
          value={place.zone}
          onChange={(zone) => onMove({ ...place, zone })}
        />
      </div>
      <section
        aria-label="Unusual spending"
        aria-busy={anomalies.isPlaceholderData}
        className={classNames(
          "rounded-card border border-line bg-surface-1",
          anomalies.isPlaceholderData && "opacity-60",
        )}
      >
        <Reading of={anomalies} skeleton={<SkeletonRows rows={5} label="Loading anomalies" />}>
          {(data) => <Findings view={data} />}
        </Reading>
      </section>
    </Page>
  );
}

function Findings({ view }: { view: UsageAnomaliesView }) {
  const { anomalies, dismissed, learning, unavailable_rules: unavailable } = view;
  return (
    <>
      {anomalies.length === 0 ? (
        <EmptyState icon={ShieldCheck} title="Nothing unusual">
          {learning
            ? "Cost, requests per hour and cache reads are compared with the mean so far. After two weeks of traffic they are compared with the same hours of the weeks before."
            : "Each hour's cost, requests and cache reads are within what the same hours of the weeks before lead to expect."}
        </EmptyState>
      ) : (
        <ul aria-label="Unusual spending" className="px-4 py-1">
          {anomalies.map((anomaly) => (
            <Anomaly key={anomaly.id} anomaly={anomaly} />
          ))}
        </ul>
      )}
      {dismissed.length > 0 && (
        <details className="border-t border-line px-4 py-2">
          <summary className="cursor-pointer text-12 text-ink-2">{`${dismissed.length} that you said are fine`}</summary>
          <ul aria-label="Fine">
            {dismissed.map((anomaly) => (
              <Anomaly key={anomaly.id} anomaly={anomaly} isFine />
            ))}
          </ul>
        </details>
      )}
      <div className="px-4">
        <Unavailable rules={unavailable} />
      </div>
    </>
  );
}

function leadOf({ finding, learning }: UsageAnomaliesView): string {
  return `${finding}${learning ? ", still learning what is usual" : ""}.`;
}
