/** What was saved, what was wasted and what would cost less. */
import { AdviceCard } from "@/features/usage/savings/advice-card";
import { EfficiencyCards } from "@/features/usage/savings/efficiency-cards";
import { PeriodBar } from "@/features/usage/period-bar";
import { periodOf, periodWords } from "@/features/usage/usage-period";
import { isFiltered, type UsagePlace } from "@/features/usage/usage-place";
import { Page } from "@/components/layout/page";
import { UsageTabs } from "@/components/layout/usage-tabs";
import { useUsageEfficiency } from "@/ipc/usage-queries";

interface SavingsScreenProps {
  place: UsagePlace;
  onMove: (place: UsagePlace) => void;
}

export function SavingsScreen({ place, onMove }: SavingsScreenProps) {
  const { data } = useUsageEfficiency(periodOf(place));
  return (
    <Page title="Usage" lead={data && `${data.finding} ${periodWords(place)}.`}>
      <UsageTabs current="savings" />
      <PeriodBar place={place} onMove={onMove} withoutGroups />
      <EfficiencyCards place={place} />
      {isFiltered(place) ? (
        <p className="text-12 text-ink-3">Suggestions are for all requests only. Remove the filter to see them.</p>
      ) : (
        <AdviceCard place={place} />
      )}
    </Page>
  );
}
