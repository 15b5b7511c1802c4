/** Plans that coding tools are signed in to: what is left of their windows, and what usage of them is worth. */
import { PlanWindow } from "@/components/chart/plan-window";
import { Card } from "@/components/layout/card";
import { DataTable, type Column } from "@/components/table/data-table";
import { Moment } from "@/components/text/moment";
import { Page } from "@/components/layout/page";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { Spend } from "@/components/text/spend";
import { spendValue } from "@/lib/cost-sum";
import { UsageTabs } from "@/components/layout/usage-tabs";
import type { PlanValueView, PlanView, SpendView } from "@/ipc/bindings";
import { usePlans } from "@/ipc/usage-queries";
import { formatCount } from "@/lib/quantity";

export function PlansScreen() {
  const plans = usePlans();
  return (
    <Page title="Usage" lead={plans.data && `${plans.data.finding}.`}>
      <UsageTabs current="plans" />
      <Reading of={plans} skeleton={<Skeleton className="h-64" />}>
        {(data) => (
          <div className="flex flex-col gap-4">
            {data.plans.length === 0 ? (
              <NoPlans />
            ) : (
              data.plans.map((plan) => <PlanCard key={plan.label} plan={plan} />)
            )}
            <ValueCard values={data.values} />
          </div>
        )}
      </Reading>
    </Page>
  );
}

function PlanCard({ plan }: { plan: PlanView }) {
  return (
    <Card
      title={plan.label}
      note={
        <>
          as of <Moment at={plan.read_at} focusable />
        </>
      }
    >
      <ul className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
        {plan.windows.map((window) => (
          <li key={window.label}>
            <PlanWindow window={window} />
          </li>
        ))}
      </ul>
      <p className="mt-3 text-12 text-ink-3">
        The tool writes this down with each answer. Use since then, or on another machine, is not in it.
      </p>
    </Card>
  );
}

function NoPlans() {
  return (
    <Card title="Windows of plans">
      <p className="text-pretty text-ink-2">
        Codex CLI writes down how much of a ChatGPT plan is used. It has reported nothing in the last 8 days. Claude
        Code and Gemini CLI write down no limits, so what is left of their plans is not known here.
      </p>
    </Card>
  );
}

function ValueCard({ values }: { values: PlanValueView[] }) {
  return (
    <Card
      title="Worth at list prices, last 30 days"
      note="not money spent"
      action={
        <PanelLink path="/session-logs" className="text-12">
          Session logs
        </PanelLink>
      }
    >
      {values.length === 0 ? (
        <p className="text-ink-2">
          No usage from session logs in the last 30 days.{" "}
          <PanelLink path="/session-logs">Import session logs</PanelLink>
        </p>
      ) : (
        <>
          <p className="mb-2 text-12 text-ink-3">
            What the providers&apos; APIs would have charged for what the tools wrote down. Compare it with what a plan
            costs.
          </p>
          <DataTable
            nested
            label="Worth at list prices"
            columns={VALUE_COLUMNS}
            rows={values}
            rowId={(row) => row.tool}
            empty={null}
          />
        </>
      )}
    </Card>
  );
}

function asSpend(row: PlanValueView): SpendView {
  return {
    cost_nano_usd: row.value_nano_usd,
    is_cost_unknown: row.is_value_unknown,
    requests: row.answers,
    unpriced_requests: row.unpriced_answers,
  };
}

const VALUE_COLUMNS: Column<PlanValueView>[] = [
  {
    id: "tool",
    header: "Tool",
    value: (row) => row.tool_name,
    cell: (row) => <span className="truncate font-medium text-ink-1">{row.tool_name}</span>,
  },
  {
    id: "value",
    header: "List value",
    numeric: true,
    width: "120px",
    value: (row) => spendValue(asSpend(row)),
    cell: (row) => <Spend spend={asSpend(row)} counted={["answer", "answers"]} />,
  },
  {
    id: "answers",
    header: "Answers",
    numeric: true,
    width: "100px",
    value: (row) => row.answers,
    cell: (row) => formatCount(row.answers),
  },
];
