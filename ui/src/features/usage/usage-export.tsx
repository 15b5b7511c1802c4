/**
 * Exports the bars as CSV: to a file where downloads work, and to the clipboard everywhere. Every cell is guarded
 * against being read as a formula.
 */
import { ClipboardCopy, Download, FileDown } from "lucide-react";
import { Button } from "@/components/button";
import { Menu } from "@/components/menu";
import { notify } from "@/components/toast";
import type { GroupBy, UsageView } from "@/ipc/bindings";
import { toCsv } from "@/lib/csv";
import { canDownload, downloadText } from "@/lib/download";

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
  const copy = () =>
    void navigator.clipboard.writeText(usageCsv(usage, group)).then(
      () => notify({ title: "Copied the table" }),
      () =>
        notify({
          tone: "bad",
          title: "Could not copy the table",
          detail: "The browser may not allow this page to use the clipboard.",
        }),
    );
  if (!canDownload()) {
    return (
      <Button icon={ClipboardCopy} onClick={copy}>
        Copy CSV
      </Button>
    );
  }
  return (
    <Menu
      label="Export"
      trigger={<Button icon={FileDown}>Export</Button>}
      entries={[
        {
          label: "Download CSV",
          icon: Download,
          onChoose: () =>
            downloadText(`gatehouse-usage-by-${group}.csv`, "text/csv;charset=utf-8", usageCsv(usage, group)),
        },
        { label: "Copy CSV", icon: ClipboardCopy, onChoose: copy },
      ]}
    />
  );
}
