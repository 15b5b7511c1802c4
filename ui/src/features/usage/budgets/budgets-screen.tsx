/** Spending limits: what is used of each, against how much of its period is over. */
import { Plus, Target } from "lucide-react";
import { useState } from "react";
import { BudgetDialog } from "@/features/usage/budgets/budget-form";
import { BudgetItem } from "@/features/usage/budgets/budget-item";
import { Button } from "@/components/button/button";
import { EmptyState } from "@/components/notice/empty-state";
import { Page } from "@/components/layout/page";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { UsageTabs } from "@/components/layout/usage-tabs";
import type { BudgetView } from "@/ipc/bindings";
import { useBudgets } from "@/ipc/queries";
import { RateNote } from "@/connected/rate-note";
import { formatCounted } from "@/lib/quantity";

interface BudgetsScreenProps {
  /** The budget that a link led to. */
  pointedId: string | null;
  adding: boolean;
  onAdd: () => void;
  onClose: () => void;
}

export function BudgetsScreen({ pointedId, adding, onAdd, onClose }: BudgetsScreenProps) {
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
                A budget limits spending in a day, a week, a month or the last days: all of it, or that of one client,
                model, backend, key or project. Above the limit, requests are refused before they cost anything.
              </EmptyState>
            </section>
          ) : (
            <ul aria-label="Budgets" className="flex flex-col gap-3">
              {all.map((budget) => (
                <BudgetItem
                  key={budget.id}
                  budget={budget}
                  isPointed={budget.id === pointedId}
                  onEdit={() => setEditing(budget)}
                />
              ))}
            </ul>
          )
        }
      </Reading>
      <RateNote />
      {adding && <BudgetDialog budget={null} onClose={onClose} />}
      {editing && <BudgetDialog budget={editing} onClose={() => setEditing(null)} />}
    </Page>
  );
}

/** The screen's question, answered: is anything used up? */
function leadOf(budgets: BudgetView[]): string {
  if (budgets.length === 0) return "Nothing limits spending.";
  const all = formatCounted(budgets.length, "budget", "budgets");
  const usedUp = budgets.filter((budget) => budget.used_percent >= 100).map(({ id }) => id);
  const soon = budgets.filter((budget) => budget.used_percent < 100 && budget.used_up_at !== null).map(({ id }) => id);
  const ahead = soon.length === 0 ? "" : ` At this pace ${soon.join(", ")} will not last.`;
  return `${all}, ${usedUp.length === 0 ? "none" : usedUp.join(", ")} used up.${ahead}`;
}

function BudgetsSkeleton() {
  return (
    <div role="status" aria-label="Loading budgets" className="flex flex-col gap-3">
      <Skeleton className="h-[122px] rounded-card" />
      <Skeleton className="h-[122px] rounded-card" />
    </div>
  );
}
