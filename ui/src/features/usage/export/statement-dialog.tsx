/** A statement of a month, for one project or all: to print, or as a table. Its rows add up to its total exactly. */
import { useState } from "react";
import { Button } from "@/components/button/button";
import { Choice } from "@/components/form/choice";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field } from "@/components/form/field";
import { Select } from "@/components/form/select";
import { spendText } from "@/lib/cost-sum";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { StatementFormat, StatementQuery, TimeZoneChoice } from "@/ipc/bindings";
import { useUsage } from "@/ipc/queries";
import { useNow } from "@/lib/clock";
import { canDownload, downloadText } from "@/lib/download";
import { formatCounted } from "@/lib/quantity";

const FORMATS = [
  { value: "html", label: "To print" },
  { value: "csv", label: "CSV" },
  { value: "json", label: "JSON" },
] as const satisfies { value: StatementFormat; label: string }[];

const MONTHS = 12;
const ALL = "all";

/** The months up to this one, the newest first. */
function monthsUntil(now: number, zone: TimeZoneChoice): { value: string; label: string }[] {
  const today = new Date(now);
  const [year, month] =
    zone === "utc" ? [today.getUTCFullYear(), today.getUTCMonth()] : [today.getFullYear(), today.getMonth()];
  const name = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
  return Array.from({ length: MONTHS }, (_, ago) => {
    const start = new Date(Date.UTC(year, month - ago, 1));
    return { value: start.toISOString().slice(0, 7), label: name.format(start) };
  });
}

/** The start of the oldest of the months. */
function oldestDay(months: { value: string }[], zone: TimeZoneChoice): number {
  const [year = 0, month = 1] = (months.at(-1)?.value ?? "").split("-").map(Number);
  return zone === "utc" ? Date.UTC(year, month - 1, 1) : new Date(year, month - 1, 1).getTime();
}

export function StatementDialog({ zone, onClose }: { zone: TimeZoneChoice; onClose: () => void }) {
  const months = monthsUntil(useNow(), zone);
  const [month, setMonth] = useState(months[0]?.value ?? "");
  const [project, setProject] = useState(ALL);
  const [format, setFormat] = useState<StatementFormat>("html");
  // Of all the months above, so that one of a project that has ended can be chosen.
  const known = useUsage({ from: oldestDay(months, zone), group_by: "project", zone }).data?.groups ?? [];
  const projects = [
    { value: ALL, label: "All projects" },
    ...known.filter(({ kind }) => kind !== "rest").map(({ key, label }) => ({ value: key, label })),
  ];
  const query: StatementQuery = { month, project: project === ALL ? null : project, zone, format };
  const download = useAction("statement", (call) => call(query));
  const save = useAction("statementSave", (call) => call(query));
  const make = () => {
    if (!canDownload()) {
      save.mutate(undefined, {
        onSuccess: ({ path }) => {
          notify({ title: "Saved the statement", detail: path });
          onClose();
        },
      });
      return;
    }
    download.mutate(undefined, {
      onSuccess: (file) => {
        downloadText(file.name, file.media_type, file.text);
        notify({
          title: `Downloaded ${file.name}`,
          detail: `${spendText(file)} for ${formatCounted(file.requests, "request", "requests")}`,
        });
        onClose();
      },
    });
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="Statement"
      description="What a month cost, day by day and by model. The rows add up to the total exactly."
    >
      <DialogBody className="flex flex-col gap-4">
        <div className="grid grid-cols-2 gap-4">
          <Field label="Month">
            {(control) => <Select {...control} options={months} value={month} onChange={setMonth} />}
          </Field>
          <Field label="Project">
            {(control) => <Select {...control} options={projects} value={project} onChange={setProject} />}
          </Field>
        </div>
        <Choice label="Format" options={FORMATS} value={format} onChange={setFormat} />
        <ErrorNotice error={download.error ?? save.error} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" busy={download.isPending || save.isPending} onClick={make}>
          {canDownload() ? "Download" : "Save"}
        </Button>
      </DialogFoot>
    </Dialog>
  );
}
