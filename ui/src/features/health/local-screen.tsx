/** What do Gatehouse and this machine use, how did it start, and how fast does the ledger answer? */
import { HealthPage } from "@/features/health/health-page";
import { LocalCharts } from "@/features/health/local-charts";
import { LocalLedger } from "@/features/health/local-ledger";
import { LocalStarts } from "@/features/health/local-starts";
import { Card } from "@/components/layout/card";
import { Facts } from "@/components/text/facts";
import { Notice } from "@/components/notice/notice";
import { Reading } from "@/components/notice/reading";
import { SkeletonCard } from "@/components/notice/skeleton";
import { useLocalHealth } from "@/ipc/health-queries";
import { useStatus } from "@/ipc/queries";

export function LocalScreen() {
  const local = useLocalHealth();
  return (
    <HealthPage current="local" lead={local.data && `${local.data.finding}.`}>
      <Telemetry />
      <Reading of={local} skeleton={<SkeletonCard label="Loading this machine" rows={8} />}>
        {({ points, charts, ledger, starts, machine }) => (
          <>
            <LocalCharts points={points} charts={charts} />
            <Card title="Starts" note={startsNote(starts.length)} flush>
              <LocalStarts starts={starts} />
            </Card>
            <Card title="Ledger" note="how fast it answers">
              <LocalLedger ledger={ledger} />
            </Card>
            <Card title="This machine" note="as Gatehouse finds it">
              <Facts facts={machine.map(({ label, value }) => ({ name: label, value: value ?? "Unknown" }))} />
            </Card>
          </>
        )}
      </Reading>
    </HealthPage>
  );
}

function startsNote(count: number): string {
  return count < 2 ? "until clients are served" : `the last ${count}, until clients are served`;
}

/** What becomes of the telemetry for a collector; nothing while it is switched off. */
function Telemetry() {
  const telemetry = useStatus().data?.telemetry ?? null;
  if (telemetry === null) return null;
  if (telemetry.failing_since === null)
    return <p className="text-12 text-ink-3">OpenTelemetry: {telemetry.sentence}.</p>;
  return (
    <Notice tone="warn" title="OpenTelemetry">
      {telemetry.sentence}
    </Notice>
  );
}
