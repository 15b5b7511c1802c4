/** Spending limits: what is used of each, against how much of its period is over. */
import { Pencil, Plus, Target, Trash2 } from "lucide-react";
import { useState } from "react";
import { BudgetDialog } from "@/features/usage/budget-form";
import { budgetSet } from "@/features/usage/budget-values";
import { barWords, budgetSign, dateWords, MARKS, scopeWords } from "@/features/usage/budget-words";
import { scopeFilter } from "@/features/usage/requests-link";
import { BudgetBar } from "@/components/budget-bar";
import { Button } from "@/components/button";
import { EmptyState } from "@/components/empty-state";
import { Menu } from "@/components/menu";
import { Page } from "@/components/page";
import { PanelLink } from "@/components/panel-link";
import { Reading } from "@/components/reading";
import { Skeleton } from "@/components/skeleton";
import { StateBadge } from "@/components/state-mark";
import { notify } from "@/components/toast";
import { UsageTabs } from "@/components/usage-tabs";
import { useAction } from "@/ipc/actions";
import type { BudgetSet, BudgetView } from "@/ipc/bindings";
import { useBudgets } from "@/ipc/queries";
import { formatMoney } from "@/lib/money";
import { formatCounted } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";

interface BudgetsScreenProps {
  adding: boolean;
  onAdd: () => void;
  onClose: () => void;
}

export function BudgetsScreen({ adding, onAdd, onClose }: BudgetsScreenProps) {
  const budgets = useBudgets();
  const [editing, setEditing] = useState<BudgetView | null>(null);
  const add = (
    <Button look="primary" icon={Plus} onClick={onAdd}>
      Add budget
    </Button>
  );
  return (
    <Page title="Usage" lead={budgets.data && leadOf(budgets.data)} actions={add}>
      <UsageTabs current="budgets" />
      <Reading of={budgets} skeleton={<BudgetsSkeleton />}>
        {(all) =>
          all.length === 0 ? (
            <section aria-label="No budgets" className="rounded-card border border-line bg-surface-1">
              <EmptyState
                icon={Target}
                title="No budgets yet"
                action={
                  <Button icon={Plus} onClick={onAdd}>
                    Add budget
                  </Button>
                }
              >
                A budget limits spending in a day, a week or a month: all of it, or that of one client, model, backend,
                key or project. Above the limit, requests are refused before they cost anything.
              </EmptyState>
            </section>
          ) : (
            <ul aria-label="Budgets" className="flex flex-col gap-3">
              {all.map((budget) => (
                <BudgetItem key={budget.id} budget={budget} onEdit={() => setEditing(budget)} />
              ))}
            </ul>
          )
        }
      </Reading>
      {adding && <BudgetDialog budget={null} onClose={onClose} />}
      {editing && <BudgetDialog budget={editing} onClose={() => setEditing(null)} />}
    </Page>
  );
}

/** The screen's question, answered: is anything used up? */
function leadOf(budgets: BudgetView[]): string {
  if (budgets.length === 0) return "Nothing limits spending.";
  const usedUp = budgets.filter((budget) => budget.used_percent >= 100);
  const all = formatCounted(budgets.length, "budget", "budgets");
  if (usedUp.length === 0) return `${all}, none used up.`;
  return `${all}, ${usedUp.map(({ id }) => id).join(", ")} used up.`;
}

function BudgetItem({ budget, onEdit }: { budget: BudgetView; onEdit: () => void }) {
  const { id, scope, period, from, until } = budget;
  const sign = budgetSign(budget);
  const requests = scopeFilter(scope);
  return (
    <li aria-label={id} className="flex flex-col gap-2.5 rounded-card border border-line bg-surface-1 px-4 pt-3 pb-3.5">
      <div className="flex items-center gap-3">
        <h2 className="min-w-0 truncate text-15 font-semibold">{id}</h2>
        <span className="min-w-0 flex-1 truncate text-ink-3">
          {scopeWords(scope)}, by the {period}
        </span>
        <StateBadge sign={sign} />
        <BudgetMenu budget={budget} onEdit={onEdit} />
      </div>
      <div className="flex items-baseline justify-between gap-4">
        <p>
          <PanelLink
            look="none"
            path={requestsPath({ ...requests, since: from })}
            className="rounded-mark text-18 font-semibold tracking-[-0.01em] hover:underline hover:underline-offset-2"
          >
            {formatMoney(budget.spent_nano_usd)}
          </PanelLink>{" "}
          <span className="text-ink-2">of {formatMoney(budget.limit_nano_usd)}</span>
          {budget.reserved_nano_usd > 0 && (
            <span className="text-12 text-ink-3">
              , {formatMoney(budget.reserved_nano_usd)} reserved for requests in flight
            </span>
          )}
        </p>
        <p className="text-12 whitespace-nowrap text-ink-2">starts again {dateWords(until)}</p>
      </div>
      <BudgetBar
        label={`${id}: used`}
        usedPercent={budget.used_percent}
        elapsedPercent={budget.elapsed_percent}
        marks={MARKS}
        tone={sign.tone}
        text={barWords(budget)}
      />
      <p className="text-12 text-ink-3">
        {barWords(budget)}.
        {budget.used_percent >= 100 && (
          <span className="text-bad">
            {" "}
            Requests are refused until {dateWords(until)}, or until the limit is raised.
          </span>
        )}
      </p>
    </li>
  );
}

function BudgetMenu({ budget, onEdit }: { budget: BudgetView; onEdit: () => void }) {
  const remove = useAction("budgetRemove", (call) => call({ id: budget.id }));
  const restore = useAction("budgetSet", (call, values: BudgetSet) => call(values));
  const removeNow = () =>
    remove.mutate(undefined, {
      onSuccess: () =>
        notify({
          title: `Removed the budget ${budget.id}`,
          detail: "It limits nothing from now on.",
          undo: () => restore.mutate(budgetSet(budget)),
        }),
      onError: (error) => notify({ tone: "bad", title: error.message, detail: error.hint }),
    });
  return (
    <Menu
      label={`Actions for ${budget.id}`}
      entries={[
        { label: "Edit", icon: Pencil, onChoose: onEdit },
        { label: "Remove", icon: Trash2, danger: true, onChoose: removeNow },
      ]}
    />
  );
}

function BudgetsSkeleton() {
  return (
    <div role="status" aria-label="Loading budgets" className="flex flex-col gap-3">
      <Skeleton className="h-[122px] rounded-card" />
      <Skeleton className="h-[122px] rounded-card" />
    </div>
  );
}
