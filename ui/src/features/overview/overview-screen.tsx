/** Can I work, what needs attention, what does it cost: answered within five seconds. */
import { BackendsStrip } from "@/features/overview/backends-strip";
import { FirstSteps, areFirstStepsDone } from "@/features/overview/first-steps";
import { LastHour } from "@/features/overview/last-hour";
import { NoKeychain, wasNoKeychainDismissed } from "@/features/overview/no-keychain";
import { OverviewFrame, OverviewSkeleton } from "@/features/overview/overview-skeleton";
import { NeedsYou } from "@/features/overview/needs-you";
import { Pins } from "@/features/overview/pins";
import { ReadinessCard } from "@/features/overview/readiness-card";
import { RecentEvents } from "@/features/overview/recent-events";
import { RecentRequests } from "@/features/overview/recent-requests";
import { SpendCard } from "@/features/overview/spend-card";
import { VerdictBar } from "@/features/overview/verdict-bar";
import { Choice } from "@/components/form/choice";
import { Reading } from "@/components/notice/reading";
import type { PinView, StatusView } from "@/ipc/bindings";
import { useStatus } from "@/ipc/queries";
import { usePins } from "@/ipc/usage-queries";
import { useState } from "react";

export function OverviewScreen() {
  const status = useStatus();
  // Read along with the status, so that they are there with the rest and move nothing.
  const pins = usePins();
  // Every screen already shows at its top that the core is offline.
  const isSaid = status.data !== undefined && status.error?.code === "offline";
  return (
    <OverviewFrame>
      <Reading of={isSaid ? { ...status, error: null } : status} skeleton={<OverviewSkeleton />}>
        {(data) => (pins.isPending ? <OverviewSkeleton /> : <Overview status={data} pins={pins.data ?? []} />)}
      </Reading>
    </OverviewFrame>
  );
}

/** With more needs than these, they and the requests fill the page: the last hour makes room for them. */
const NEEDS_BESIDE_LAST_HOUR_MAX = 3;

/** The core's need that the keychain card replaces. The first steps replace the one for a backend. */
const KEYS_UNSTORED = "vault/missing";

const LATELY = [
  { value: "requests", label: "Requests" },
  { value: "events", label: "Events" },
] as const;
type Lately = (typeof LATELY)[number]["value"];

function Overview({ status, pins }: { status: StatusView; pins: PinView[] }) {
  const isSetUp = areFirstStepsDone(status.first_steps);
  const [isDismissed, setDismissed] = useState(wasNoKeychainDismissed);
  const asksForVault = status.vault.keychain_missing && !isDismissed;
  const shown = status.verdict.needs.filter(
    (need) => !(asksForVault && need.id === KEYS_UNSTORED) && (isSetUp || need.level !== "not_set_up"),
  );
  const needs = shown.length;
  const [lately, setLately] = useState<Lately>("requests");
  const isEvents = isSetUp && lately === "events";
  const choice = isSetUp && <Choice label="Shown" options={LATELY} value={lately} onChange={setLately} />;
  return (
    <>
      <VerdictBar status={status} />
      {(isSetUp || status.first_steps.backend_added) && <BackendsStrip />}
      <div className="grid flex-1 grid-cols-1 gap-4 @min-[720px]:grid-cols-[minmax(0,1fr)_minmax(264px,336px)]">
        <div className="flex min-w-0 flex-col gap-4">
          {asksForVault && <NoKeychain fileExists={status.vault.file_exists} onDismiss={() => setDismissed(true)} />}
          {(isSetUp || needs > 0) && <NeedsYou verdict={{ ...status.verdict, needs: shown }} />}
          {!isSetUp && <FirstSteps steps={status.first_steps} />}
          <Pins pins={pins} />
          {isSetUp && needs <= NEEDS_BESIDE_LAST_HOUR_MAX && <LastHour />}
          {isEvents ? <RecentEvents choice={choice} /> : <RecentRequests choice={choice} />}
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <SpendCard spend={status.spend_today} />
          {(isSetUp || status.first_steps.checks_run) && <ReadinessCard className={isSetUp ? "max-h-60 flex-1" : ""} />}
        </div>
      </div>
    </>
  );
}
