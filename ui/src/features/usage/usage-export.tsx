/** Exports the bars as CSV. Every cell is guarded against being read as a formula. */
import { CsvMenu } from "@/components/csv-menu";
import type { GroupBy, UsageView } from "@/ipc/bindings";
import { toCsv } from "@/lib/csv";

export function usageCsv(usage: UsageView, group: GroupBy): string {
  const rows = usage.buckets.flatMap((bucket) =>
    bucket.segments.map((segment, index) => [
      new Date(bucket.start).toISOString(),
      usage.groups[index]?.label ?? "",
      segment.cost_nano_usd,
      segment.requests,
      segment.tokens,
    ]),
  );
  return toCsv(["start_utc", group, "cost_nano_usd", "requests", "tokens"], rows);
}

export function UsageExport({ usage, group }: { usage: UsageView | undefined; group: GroupBy }) {
  if (usage === undefined) return null;
  return <CsvMenu name={`gatehouse-usage-by-${group}`} csv={() => usageCsv(usage, group)} />;
}
