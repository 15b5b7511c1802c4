/** Exports a table as CSV: to a file where downloads work, and to the clipboard everywhere. */
import { ClipboardCopy, Download, FileDown } from "lucide-react";
import { Button, IconButton } from "@/components/button/button";
import { Menu, type MenuEntry } from "@/components/menu/menu";
import { notify } from "@/components/overlay/toast";
import { canDownload, downloadText } from "@/lib/download";

interface CsvMenuProps {
  /** Name of the file, without its ending. */
  name: string;
  csv: () => string;
  /** Only an icon, beside a chart. */
  small?: boolean;
  /** Other exports. */
  more?: MenuEntry[];
}

export function CsvMenu({ name, csv, small = false, more = [] }: CsvMenuProps) {
  const copy = () =>
    void navigator.clipboard.writeText(csv()).then(
      () => notify({ title: "Copied the table" }),
      () =>
        notify({
          tone: "bad",
          title: "Could not copy the table",
          detail: "The browser may not allow this page to use the clipboard.",
        }),
    );
  if (!canDownload() && small) return <IconButton label="Copy CSV" icon={ClipboardCopy} onClick={copy} />;
  const download: MenuEntry = {
    label: "Download CSV",
    icon: Download,
    onChoose: () => downloadText(`${name}.csv`, "text/csv;charset=utf-8", csv()),
  };
  return (
    <Menu
      label="Export"
      trigger={
        small ? (
          <button type="button" aria-label={`Export ${name}`} title="Export" className={SMALL_TRIGGER}>
            <FileDown size={16} strokeWidth={1.5} aria-hidden />
          </button>
        ) : (
          <Button icon={FileDown}>Export</Button>
        )
      }
      entries={[
        ...(canDownload() ? [download] : []),
        { label: "Copy CSV", icon: ClipboardCopy, onChoose: copy },
        ...more,
      ]}
    />
  );
}

const SMALL_TRIGGER =
  "inline-flex size-7 shrink-0 items-center justify-center rounded-control text-ink-3 transition-colors duration-150 hover:bg-surface-2 hover:text-ink-1";
