/** What providers billed against what was computed here, by provider and day. */
import { KeyRound, RefreshCw, X } from "lucide-react";
import { useMemo, useState } from "react";
import { AdminKeyDialog } from "@/features/usage/billing/admin-key-dialog";
import { DRIFT_DAYS, Difference } from "@/features/usage/billing/drift";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { DataTable, type Column } from "@/components/table/data-table";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { FileButton } from "@/components/form/file-button";
import { Moment } from "@/components/text/moment";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { BillingReportView, BillingProvider, DriftDayView, DriftProviderView, DriftView } from "@/ipc/bindings";
import { useBillingDrift, useBillingProgress } from "@/ipc/usage-queries";
import { formatMoney } from "@/lib/money";
import { formatCount, formatCounted } from "@/lib/quantity";
import { formatPercent } from "@/lib/percent";

function firstProblem({ problems: [problem] }: BillingReportView): string | null {
  return problem === undefined ? null : `${problem.file}, line ${problem.line}: ${problem.problem}`;
}

const report = {
  onSuccess: (done: BillingReportView) => notify({ title: done.finding, detail: firstProblem(done) }),
  onError: notifyError,
};

export function DriftCard() {
  const drift = useBillingDrift({ days: DRIFT_DAYS });
  return (
    <Card title="Billed and computed" note={`the last ${DRIFT_DAYS} days, in UTC as providers bill`}>
      <Reading of={drift} skeleton={<Skeleton className="h-24" />}>
        {(data) => (
          <div className="flex flex-col gap-3">
            <p className="text-ink-1">{data.finding}</p>
            {data.providers.length > 0 && (
              <ul aria-label="Providers" className="border-t border-line">
                {data.providers.map((provider) => (
                  <Provider key={provider.provider} provider={provider} />
                ))}
              </ul>
            )}
            {data.days.length > 0 && <Days drift={data} />}
            {(data.days.length > 0 || data.stated.length > 0) && <p className="text-12 text-ink-3">{data.levels}</p>}
          </div>
        )}
      </Reading>
    </Card>
  );
}

function Provider({ provider }: { provider: DriftProviderView }) {
  const { difference_nano_usd: difference, difference_percent: percent, reconciled_days: days } = provider;
  const [isAdding, setAdding] = useState(false);
  const progress = useBillingProgress();
  const running = progress?.provider === provider.provider ? progress : null;
  const cancel = useAction("billingCancel", (call) => call());
  const fetch = useAction("billingFetch", (call) => call({ provider: provider.provider, days: DRIFT_DAYS }));
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line py-2">
      <span className="w-24 font-medium">{provider.label}</span>
      <span className="min-w-0 flex-1 text-12 text-ink-2">
        {running !== null ? (
          <span role="status">{running.sentence}</span>
        ) : days === 0 ? (
          "nothing reconciled yet"
        ) : (
          <>
            {formatMoney(provider.billed_nano_usd)} billed, {formatMoney(provider.computed_nano_usd)} computed
            <span className={provider.is_marked ? "text-warn" : "text-ink-3"}>
              {" "}
              ({difference >= 0 ? "+" : ""}
              {formatMoney(difference)}
              {percent !== null && `, ${formatPercent(percent)}`})
            </span>
          </>
        )}
        {running === null && (
          <span className="text-ink-3">
            {provider.open_days > 0 && `; ${formatCounted(provider.open_days, "day", "days")} open`}
            {provider.fetched !== null && (
              <>
                ; read <Moment at={provider.fetched} />
              </>
            )}
          </span>
        )}
      </span>
      <CsvButton provider={provider.provider} />
      {provider.key === null ? (
        <Button size="small" icon={KeyRound} onClick={() => setAdding(true)}>
          Add admin key
        </Button>
      ) : (
        // One button for start and cancel, so that the focus stays where it was.
        <Button
          size="small"
          icon={running === null ? RefreshCw : X}
          busy={running === null ? fetch.isPending : cancel.isPending}
          onClick={() => (running === null ? fetch.mutate(undefined, report) : cancel.mutate())}
        >
          {running === null ? "Reconcile" : "Cancel"}
        </Button>
      )}
      {isAdding && <AdminKeyDialog provider={provider} onClose={() => setAdding(false)} />}
    </li>
  );
}

/** Imports the cost report that a provider's page exports. */
function CsvButton({ provider }: { provider: BillingProvider }) {
  const read = useAction("billingImport", async (call, file: File) =>
    call({ provider, file_name: file.name, text: await file.text() }),
  );
  return (
    <FileButton
      label="Cost report"
      accept=".csv,text/csv"
      size="small"
      look="quiet"
      busy={read.isPending}
      onChoose={(file) => read.mutate(file, report)}
    >
      Import CSV
    </FileButton>
  );
}

function Days({ drift }: { drift: DriftView }) {
  // A hidden table of months of days would be a tenth of the page.
  const [isOpen, setOpen] = useState(false);
  const columns = useMemo<Column<DriftDayView>[]>(() => {
    const labels = new Map(drift.providers.map(({ provider, label }) => [provider, label]));
    return [
      { id: "day", header: "Day", width: "104px", value: (row) => row.day, cell: (row) => row.day },
      {
        id: "provider",
        header: "Provider",
        width: "112px",
        value: (row) => labels.get(row.provider) ?? row.provider,
        cell: (row) => labels.get(row.provider) ?? row.provider,
      },
      amount("billed", "Billed", (row) => row.billed_nano_usd),
      amount("computed", "Computed", (row) => row.computed_nano_usd),
      {
        id: "difference",
        header: "Difference",
        numeric: true,
        width: "120px",
        value: (row) => row.difference_percent,
        cell: (row) => <Difference of={row} />,
      },
      {
        id: "requests",
        header: "Requests",
        numeric: true,
        width: "96px",
        from: "800",
        value: (row) => row.requests,
        cell: (row) => formatCount(row.requests),
      },
      {
        id: "reasons",
        header: "Reasons",
        from: "640",
        cell: (row) => <span title={row.reasons.join("; ")}>{row.reasons.join("; ")}</span>,
      },
    ];
  }, [drift.providers]);
  return (
    <details className="group" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <DisclosureSummary className="text-ink-1">By day</DisclosureSummary>
      {isOpen && (
        <DataTable
          label="Billed and computed by day"
          columns={columns}
          rows={drift.days}
          rowId={(row) => `${row.provider}-${row.day}`}
          empty={null}
          className="mt-2 max-h-80"
        />
      )}
    </details>
  );
}

function amount(id: string, header: string, of: (row: DriftDayView) => number | null): Column<DriftDayView> {
  const cell = (row: DriftDayView) => {
    const nano = of(row);
    return nano === null ? <span className="text-ink-3">no report</span> : formatMoney(nano);
  };
  return { id, header, numeric: true, width: "104px", value: of, cell };
}
