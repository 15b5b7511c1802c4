/** Exports all requests that match the filters, not only those that are loaded. */
import { FileDown, FileJson, FileSpreadsheet } from "lucide-react";
import { Button } from "@/components/button/button";
import { Menu } from "@/components/menu/menu";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { RequestsFormat, RequestsQuery, SavedFile, TextFile } from "@/ipc/bindings";
import { canDownload, downloadText } from "@/lib/download";
import { formatMoney } from "@/lib/money";
import { formatCount, formatCounted } from "@/lib/quantity";

function told(title: string, file: TextFile | SavedFile, more: string) {
  const what = `${formatCounted(file.requests, "request", "requests")}, ${costWords(file)}`;
  if (file.is_whole) notify({ title, detail: `${what}${more}` });
  else
    notify({
      tone: "warn",
      title,
      detail: `The newest ${what}${more}. There are more: narrow the filters to get the others.`,
    });
}

function costWords(file: TextFile | SavedFile): string {
  const { unpriced_requests: unpriced, cost_nano_usd: cost } = file;
  if (file.is_cost_unknown) return "whose cost is not known";
  const rest = unpriced > 0 ? ` without the ${formatCount(unpriced)} whose cost is not known` : "";
  return `${formatMoney(cost)}${rest}`;
}

export function RequestsExport({ filter }: { filter: RequestsQuery }) {
  const download = useAction("requestsExport", (call, format: RequestsFormat) => call({ query: filter, format }));
  const save = useAction("requestsExportSave", (call, format: RequestsFormat) => call({ query: filter, format }));
  const make = (format: RequestsFormat) => {
    if (!canDownload()) {
      save.mutate(format, {
        onSuccess: (file) => told("Saved the requests", file, `, in ${file.path}`),
        onError: notifyError,
      });
      return;
    }
    download.mutate(format, {
      onSuccess: (file) => {
        downloadText(file.name, file.media_type, file.text);
        told(`Downloaded ${file.name}`, file, "");
      },
      onError: notifyError,
    });
  };
  return (
    <Menu
      label="Export"
      trigger={
        <Button icon={FileDown} busy={download.isPending || save.isPending}>
          Export
        </Button>
      }
      entries={[
        { label: "CSV", icon: FileSpreadsheet, onChoose: () => make("csv") },
        { label: "JSON", icon: FileJson, onChoose: () => make("json") },
      ]}
    />
  );
}
