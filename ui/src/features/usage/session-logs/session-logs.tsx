/** Usage that coding tools wrote down: its import with progress, its totals, and what could not be read. */
import { FileInput } from "lucide-react";
import { useMemo, useState } from "react";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { Choice } from "@/components/form/choice";
import { DataTable, type Column } from "@/components/table/data-table";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { Notice } from "@/components/notice/notice";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { Spend } from "@/components/text/spend";
import { spendValue } from "@/lib/cost-sum";
import { Switch } from "@/components/form/switch";
import { notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type {
  LogImportView,
  SessionGroupBy,
  SessionLogGroupView,
  SessionLogProblemView,
  SessionLogTotalsView,
  SessionLogsView,
  SettingsValues,
  TimeZoneChoice,
} from "@/ipc/bindings";
import { useSessionLogs, useSettings } from "@/ipc/queries";
import { SETTINGS } from "@/lib/form-tables";
import { formatCount, formatCounted, formatCountShort } from "@/lib/quantity";

const REGULAR_IMPORT = SETTINGS.find(({ key }) => key === "import_session_logs");

const GROUPS = [
  { value: "tool", label: "Tool" },
  { value: "model", label: "Model" },
  { value: "project", label: "Project" },
  { value: "day", label: "Day" },
] as const satisfies { value: SessionGroupBy; label: string }[];

export function SessionLogs({ zone }: { zone: TimeZoneChoice }) {
  const [group, setGroup] = useState<SessionGroupBy>("tool");
  const logs = useSessionLogs({ from: null, group_by: group, zone });
  const latest = logs.data?.import ?? null;
  return (
    <Card
      title="From session logs"
      note="not in any other total"
      action={
        <>
          {logs.data !== undefined && logs.data.groups.length > 0 && (
            <Choice label="Group session logs by" options={GROUPS} value={group} onChange={setGroup} />
          )}
          <ImportButton latest={latest} />
        </>
      }
    >
      <Reading of={logs} skeleton={<Skeleton className="h-24 rounded-control" />}>
        {(data) => (
          <div className="flex flex-col gap-3">
            <RegularImport />
            {latest && <Progress latest={latest} />}
            <Sums logs={data} group={group} />
            <Problems logs={data} />
          </div>
        )}
      </Reading>
    </Card>
  );
}

/** The setting by which imports begin by themselves. */
function RegularImport() {
  const { data: settings } = useSettings();
  const change = useAction("settingsEdit", (call, values: SettingsValues) => call(values));
  if (settings === undefined) return null;
  return (
    <div className="flex items-center gap-2 text-12 text-ink-2">
      <Switch
        label="Keep session logs up to date"
        describedBy="regular-import"
        checked={settings.values.import_session_logs}
        disabled={!settings.valid}
        onChange={(isOn) => change.mutate({ ...settings.values, import_session_logs: isOn }, { onError: notifyError })}
      />
      <span id="regular-import">
        <span className="text-ink-1">Keep up to date.</span> {REGULAR_IMPORT?.meaning}
      </span>
    </div>
  );
}

/** One button for start and cancel, so that the focus stays where it was. */
function ImportButton({ latest }: { latest: LogImportView | null }) {
  const start = useAction("sessionLogsImport", (call) => call());
  const cancel = useAction("sessionLogsCancel", (call) => call());
  const isRunning = latest?.state === "running";
  const report = {
    onError: notifyError,
  };
  return (
    <Button
      size="small"
      icon={isRunning ? undefined : FileInput}
      busy={start.isPending || cancel.isPending}
      onClick={() => (isRunning ? cancel : start).mutate(undefined, report)}
    >
      {isRunning ? "Cancel import" : "Import session logs"}
    </Button>
  );
}

function Progress({ latest }: { latest: LogImportView }) {
  if (latest.state === "failed")
    return (
      <Notice tone="bad" title="The import failed">
        {latest.sentence}
      </Notice>
    );
  return (
    <div className="flex flex-col gap-1.5">
      {latest.state === "running" && (
        <div
          role="progressbar"
          aria-label="Import of session logs"
          aria-valuemin={0}
          aria-valuemax={latest.files}
          aria-valuenow={latest.done_files}
          className="h-2 overflow-hidden rounded-full bg-surface-3"
        >
          <div
            data-mark
            className="h-full rounded-full bg-accent"
            style={{ width: `${latest.files === 0 ? 0 : (100 * latest.done_files) / latest.files}%` }}
          />
        </div>
      )}
      <p role="status" className="text-12 text-ink-2">
        {latest.sentence}.
      </p>
    </div>
  );
}

function Sums({ logs, group }: { logs: SessionLogsView; group: SessionGroupBy }) {
  const columns = useMemo<Column<SessionLogGroupView>[]>(() => groupColumns(group), [group]);
  if (logs.groups.length === 0)
    return (
      <div className="text-ink-2">
        <p>
          Claude Code, Codex CLI, Gemini CLI and OpenCode write down what they use. Import it to see usage that did not
          go through Gatehouse. Only tokens, models, times and folders are kept, never a prompt or an answer.
        </p>
        <ul className="mt-2 text-12 text-ink-3">
          {logs.places.map((place) => (
            <li key={place.path} className="[overflow-wrap:anywhere]">
              {place.tool_name}: <code>{place.path}</code>
            </li>
          ))}
        </ul>
      </div>
    );
  return (
    <>
      <p className="text-ink-1">{logs.finding}.</p>
      <p className="text-12 text-ink-3">
        The list value is what the providers&apos; APIs would have charged. A plan may have covered it, so it is not
        money spent and part of no other total.
      </p>
      <DataTable
        nested
        label="Usage from session logs"
        columns={columns}
        rows={logs.groups}
        rowId={(row) => row.key}
        empty={null}
      />
    </>
  );
}

function groupColumns(group: SessionGroupBy): Column<SessionLogGroupView>[] {
  return [
    {
      id: "label",
      header: GROUPS.find((option) => option.value === group)?.label ?? "",
      value: (row) => row.label,
      cell: (row) => <span className="truncate font-medium text-ink-1">{row.label}</span>,
    },
    {
      id: "value",
      header: "List value",
      numeric: true,
      width: "120px",
      value: (row) => spendValue(asSpend(row.totals)),
      cell: (row) => <Spend spend={asSpend(row.totals)} counted={["answer", "answers"]} />,
    },
    {
      id: "answers",
      header: "Answers",
      numeric: true,
      width: "100px",
      value: (row) => row.totals.answers,
      cell: (row) => formatCount(row.totals.answers),
    },
    {
      id: "in",
      header: "Tokens in",
      numeric: true,
      width: "100px",
      from: "640",
      value: (row) => row.totals.input_tokens,
      cell: (row) => shortCount(row.totals.input_tokens),
    },
    {
      id: "cached",
      header: "Cached",
      numeric: true,
      width: "92px",
      from: "800",
      value: (row) => row.totals.cache_read_tokens,
      cell: (row) => shortCount(row.totals.cache_read_tokens),
    },
    {
      id: "out",
      header: "Tokens out",
      numeric: true,
      width: "104px",
      from: "640",
      value: (row) => row.totals.output_tokens,
      cell: (row) => shortCount(row.totals.output_tokens),
    },
    {
      id: "measured",
      header: "Measured",
      numeric: true,
      width: "112px",
      from: "800",
      value: (row) => row.totals.measured_answers,
      cell: (row) => (
        <span title="Recorded by Gatehouse itself, so not counted in the other columns">
          {formatCount(row.totals.measured_answers)}
        </span>
      ),
    },
  ];
}

function shortCount(count: number) {
  return <span title={formatCount(count)}>{formatCountShort(count)}</span>;
}

function asSpend(totals: SessionLogTotalsView) {
  return {
    cost_nano_usd: totals.value_nano_usd,
    is_cost_unknown: totals.is_value_unknown,
    requests: totals.answers,
    unpriced_requests: totals.unpriced_answers,
  };
}

const PROBLEM_COLUMNS: Column<SessionLogProblemView>[] = [
  {
    id: "path",
    header: "File",
    value: (row) => row.path,
    cell: (row) => (
      <span className="truncate" title={row.path}>
        {row.path}
      </span>
    ),
  },
  {
    id: "line",
    header: "Line",
    numeric: true,
    width: "80px",
    value: (row) => row.line,
    cell: (row) => (row.line === null ? "–" : formatCount(row.line)),
  },
  { id: "field", header: "Field", width: "28%", value: (row) => row.field, cell: (row) => <code>{row.field}</code> },
  { id: "what", header: "Problem", width: "30%", value: (row) => row.what, cell: (row) => row.what },
];

function Problems({ logs }: { logs: SessionLogsView }) {
  const rows = [...(logs.import?.skipped ?? []), ...logs.problems];
  if (rows.length === 0) return null;
  const count = logs.problems_total + (logs.import?.skipped.length ?? 0);
  return (
    <details className="group">
      <DisclosureSummary className="text-ink-1">
        {formatCounted(count, "problem", "problems")} in the logs; all else was imported
      </DisclosureSummary>
      <div className="mt-2">
        <DataTable
          label="Problems in session logs"
          columns={PROBLEM_COLUMNS}
          rows={rows}
          rowId={(row) => `${row.path}:${row.line}:${row.field}:${row.what}`}
          empty={null}
          className="max-h-72"
        />
        {count > rows.length && (
          <p className="mt-1 text-12 text-ink-3">{formatCount(count - rows.length)} more are not listed.</p>
        )}
      </div>
    </details>
  );
}
