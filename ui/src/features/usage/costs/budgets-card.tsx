/** The budgets beside the costs: a bar each, the fullest first. */
import { barWords, scopeWords } from "@/features/usage/budgets/budget-words";
import { BudgetBar } from "@/components/chart/budget-bar";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { TONE_TEXT } from "@/components/state/state-mark";
import { useBudgets } from "@/ipc/queries";
import { formatMoney } from "@/lib/money";
import { BUDGET } from "@/lib/tables";

const SHOWN_MAX = 3;

export function BudgetsCard() {
  const budgets = useBudgets();
  const fullest = budgets.data?.toSorted((left, right) => right.used_percent - left.used_percent) ?? [];
  const others = fullest.length - SHOWN_MAX;
  return (
    <section aria-label="Budgets" className="flex min-w-0 flex-col bg-surface-1 px-4 py-3">
      <h2 className="flex h-6 items-center justify-between text-12 text-ink-3">
        Budgets
        <PanelLink path="/budgets" className="text-12">
          {others > 0 ? `${others} more` : "All budgets"}
        </PanelLink>
      </h2>
      <Reading of={budgets} skeleton={<Skeleton className="mt-2 h-16" />}>
        {(all) =>
          all.length === 0 ? (
            <p className="mt-1 text-pretty text-ink-2">
              No limit is set, so nothing stops a runaway agent.{" "}
              <PanelLink path="/budgets?add=true">Add budget</PanelLink>
            </p>
          ) : (
            <ul className="mt-1 flex flex-col gap-2.5">
              {fullest.slice(0, SHOWN_MAX).map((budget) => {
                const sign = BUDGET[budget.state];
                return (
                  <li key={budget.id} className="flex flex-col gap-1.5">
                    <span className="flex items-baseline gap-2 text-12">
                      <span className="min-w-0 flex-1 truncate" title={scopeWords(budget.scope)}>
                        <span className="font-medium text-ink-1">{budget.id}</span>{" "}
                        <span className={sign.tone === "ok" ? "text-ink-3" : TONE_TEXT[sign.tone]}>
                          {sign.word.toLowerCase()}
                        </span>
                      </span>
                      <span className="whitespace-nowrap text-ink-2">
                        {formatMoney(budget.spent_nano_usd)} of{" "}
                        {formatMoney(budget.limit_nano_usd + budget.allowed_nano_usd)}
                      </span>
                    </span>
                    <BudgetBar
                      label={`${budget.id}: used`}
                      usedPercent={budget.used_percent}
                      elapsedPercent={budget.period === "rolling" ? null : budget.elapsed_percent}
                      marks={budget.marks}
                      tone={sign.tone}
                      text={barWords(budget)}
                    />
                  </li>
                );
              })}
            </ul>
          )
        }
      </Reading>
    </section>
  );
}
