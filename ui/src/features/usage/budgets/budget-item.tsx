/** One budget: how full it is, what happens at its limit, what was allowed more, and its history. */
import { Pencil, Trash2, Wallet } from "lucide-react";
import { useState } from "react";
import { AllowDialog } from "@/features/usage/budgets/allow-dialog";
import { budgetSet } from "@/features/usage/budgets/budget-values";
import {
  actionWords,
  barWords,
  crossingWords,
  dateWords,
  interruptedWords,
  isReserving,
  periodWords,
  reservedWords,
  scopeWords,
} from "@/features/usage/budgets/budget-words";
import { scopeFilter } from "@/features/usage/requests-link";
import { BudgetBar } from "@/components/chart/budget-bar";
import { Button } from "@/components/button/button";
import { useContextualActions } from "@/components/menu/contextual-actions";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { Menu, type MenuEntry } from "@/components/menu/menu";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { StateBadge } from "@/components/state/state-mark";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { BudgetAllow, BudgetSet, BudgetView } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { formatCounted } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";
import { BUDGET } from "@/lib/tables";

const report = {
  onError: notifyError,
};

interface BudgetItemProps {
  budget: BudgetView;
  /** A link led to it: it is marked, and scrolled to. */
  isPointed: boolean;
  onEdit: () => void;
}

function scrollTo(item: HTMLElement | null) {
  item?.scrollIntoView({ block: "nearest" });
}

export function BudgetItem({ budget, isPointed, onEdit }: BudgetItemProps) {
  const { id, scope, from, until, period } = budget;
  const [isAllowing, setAllowing] = useState(false);
  const sign = BUDGET[budget.state];
  const isRolling = period === "rolling";
  return (
    <li
      ref={isPointed ? scrollTo : undefined}
      aria-label={id}
      aria-current={isPointed || undefined}
      className="flex flex-col gap-2.5 rounded-card border border-line bg-surface-1 px-4 pt-3 pb-3.5 aria-[current]:border-accent/60"
    >
      <div className="flex items-center gap-3">
        <h2 className="truncate text-15 font-semibold">{id}</h2>
        <span className="min-w-0 flex-1 truncate text-ink-3">{scopeWords(scope)}</span>
        <StateBadge sign={sign} />
        <BudgetActions budget={budget} isPointed={isPointed} onAllow={() => setAllowing(true)} onEdit={onEdit} />
      </div>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <p>
          <PanelLink
            look="plain"
            path={requestsPath({ ...scopeFilter(scope), since: from })}
            className="text-18 font-semibold tracking-[-0.01em]"
          >
            {formatMoney(budget.spent_nano_usd)}
          </PanelLink>{" "}
          <span className="text-ink-2">
            of {formatMoney(budget.limit_nano_usd)} {periodWords(budget)}
            {budget.allowed_nano_usd > 0 && ` and ${formatMoney(budget.allowed_nano_usd)} more for a time`}
          </span>
          {isReserving(budget) && <span className="text-12 text-ink-3">, {reservedWords(budget)}</span>}
        </p>
        {!isRolling && <p className="ml-auto text-12 whitespace-nowrap text-ink-2">resets {dateWords(until)}</p>}
      </div>
      <BudgetBar
        label={`${id}: used`}
        usedPercent={budget.used_percent}
        elapsedPercent={isRolling ? null : budget.elapsed_percent}
        marks={budget.marks}
        tone={sign.tone}
        text={barWords(budget)}
      />
      <p className="text-12 text-ink-3">
        {barWords(budget)}
        {budget.used_up_at !== null && (
          <span className="text-warn">; at this rate it runs out {dateWords(budget.used_up_at)}</span>
        )}
        ; {actionWords(budget)}.{budget.interrupted_requests > 0 && ` ${interruptedWords(budget)}`}
        {budget.unpriced_requests > 0 && (
          <>
            {" "}
            <PanelLink path={requestsPath({ ...scopeFilter(scope), since: from, unpriced: true })}>
              {formatCounted(budget.unpriced_requests, "request has", "requests have")} no price
            </PanelLink>{" "}
            and are not counted.
          </>
        )}
      </p>
      {budget.allowances.length > 0 && <Allowances budget={budget} />}
      {budget.crossings.length > 0 && <History budget={budget} />}
      {isAllowing && <AllowDialog budget={budget} onClose={() => setAllowing(false)} />}
    </li>
  );
}

function Allowances({ budget }: { budget: BudgetView }) {
  const allow = useAction("budgetAllow", (call, values: BudgetAllow) => call(values));
  const takeBack = () =>
    allow.mutate(
      { id: budget.id, usd: "0", until: null },
      { ...report, onSuccess: () => notify({ title: `Removed the extra allowance of ${budget.id}` }) },
    );
  return (
    <div className="flex items-center gap-3 border-t border-line pt-2 text-12 text-ink-2">
      <ul className="min-w-0 flex-1">
        {budget.allowances.map((one) => (
          <li key={one.at}>
            {formatMoney(one.nano_usd)} more allowed until {dateWords(one.until)}, <Moment at={one.at} />
          </li>
        ))}
      </ul>
      <Button size="small" look="quiet" busy={allow.isPending} onClick={takeBack}>
        Take back
      </Button>
    </div>
  );
}

function History({ budget }: { budget: BudgetView }) {
  return (
    <details className="group border-t border-line pt-2 text-12">
      <DisclosureSummary className="text-ink-2">
        {formatCounted(budget.crossings.length, "crossing", "crossings")}
      </DisclosureSummary>
      <table className="mt-1.5 w-full">
        <tbody>
          {budget.crossings.map((one) => (
            <tr key={`${one.at}-${one.kind}-${one.percent}`}>
              <td className="w-32 py-1 text-ink-3">
                <Moment at={one.at} />
              </td>
              <td className={one.kind === "refused" ? "text-bad" : "text-ink-1"}>{crossingWords(one)}</td>
              <td className="numeric text-ink-2">
                {formatMoney(one.spent_nano_usd)} of {formatMoney(one.limit_nano_usd)}
                {one.period_from === budget.from ? "" : ", an earlier period"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

interface BudgetActionsProps {
  budget: BudgetView;
  isPointed: boolean;
  onAllow: () => void;
  onEdit: () => void;
}

function BudgetActions({ budget, isPointed, onAllow, onEdit }: BudgetActionsProps) {
  const remove = useAction("budgetRemove", (call) => call({ id: budget.id }));
  const restore = useAction("budgetSet", (call, values: BudgetSet) => call(values));
  const removeNow = () =>
    remove.mutate(undefined, {
      ...report,
      onSuccess: () =>
        notify({
          title: `Removed the budget ${budget.id}`,
          detail: "It limits nothing from now on.",
          undo: () => restore.mutate(budgetSet(budget), report),
        }),
    });
  const entries: MenuEntry[] = [
    { label: "Edit", icon: Pencil, onChoose: onEdit },
    { label: "Remove", icon: Trash2, danger: true, onChoose: removeNow },
  ];
  const allow: MenuEntry | null =
    budget.action !== "tell" && BUDGET[budget.state].tone !== "ok"
      ? { label: "Allow more", icon: Wallet, onChoose: onAllow }
      : null;
  useContextualActions({
    kind: "Budget",
    id: budget.id,
    name: budget.id,
    isOpen: isPointed,
    actions: allow === null ? entries : [allow, ...entries],
  });
  return (
    <>
      {allow !== null && (
        <Button size="small" onClick={allow.onChoose}>
          {allow.label}
        </Button>
      )}
      <Menu label={`Actions for ${budget.id}`} entries={entries} />
    </>
  );
}
