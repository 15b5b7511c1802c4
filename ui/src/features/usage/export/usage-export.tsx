/** Exports the bars as CSV, or a month as a statement. Every cell is guarded against being read as a formula. */
import { Receipt } from "lucide-react";
import { useState } from "react";
import { StatementDialog } from "@/features/usage/export/statement-dialog";
import type { UsagePlace } from "@/features/usage/usage-place";
import { CsvMenu } from "@/components/table/csv-menu";
import type { GroupBy, UsageView } from "@/ipc/bindings";
import { spendValue } from "@/lib/cost-sum";
import { toCsv } from "@/lib/csv";

export function usageCsv(usage: UsageView, group: GroupBy): string {
  const rows = usage.buckets.flatMap((bucket) =>
    bucket.segments.map((segment, index) => [
      new Date(bucket.start).toISOString(),
      usage.series[index]?.label ?? "",
      spendValue(segment),
      segment.requests,
      segment.tokens,
      segment.unpriced_requests,
    ]),
  );
  return toCsv(["start_utc", group, "cost_nano_usd", "requests", "tokens", "unpriced_requests"], rows);
}

interface UsageExportProps {
  usage: UsageView | undefined;
  place: UsagePlace;
}

export function UsageExport({ usage, place }: UsageExportProps) {
  const [isStating, setStating] = useState(false);
  if (usage === undefined) return null;
  const { group, zone } = place;
  return (
    <>
      <CsvMenu
        name={`gatehouse-usage-by-${group}${usage.cost_basis === "known" ? "" : `-${usage.cost_basis}`}`}
        csv={() => usageCsv(usage, group)}
        more={[{ label: "Statement of a month…", icon: Receipt, onChoose: () => setStating(true) }]}
      />
      {isStating && <StatementDialog zone={zone} onClose={() => setStating(false)} />}
    </>
  );
}
