/** Spending limits: what is used of each, against how much of its period is over. */
import { classNames } from "@/lib/class-names";
import type { BudgetView } from "@/ipc/bindings";
import { useBudgets } from "@/ipc/queries";
import { formatMoney } from "@/lib/money";

const WARN_PERCENT = 80;

export function Budgets() {
  const budgets = useBudgets();
  if (budgets.data === undefined || budgets.data.length === 0) return null;
  return (
    <section aria-labelledby="budgets-title" className="rounded-card border border-line bg-surface-1 px-4 py-3">
      <h2 id="budgets-title" className="text-13 font-semibold">
        Budgets
      </h2>
      <ul className="mt-2 flex flex-col gap-2.5">
        {budgets.data.map((budget) => (
          <Budget key={budget.id} budget={budget} />
        ))}
      </ul>
    </section>
  );
}

function Budget({ budget }: { budget: BudgetView }) {
  const { id, limit_nano_usd, spent_nano_usd, used_percent, elapsed_percent, period, scope, until } = budget;
  const tone = used_percent >= 100 ? "bad" : used_percent >= WARN_PERCENT ? "warn" : "plain";
  const begins = new Date(until).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return (
    <li className="flex flex-col gap-1">
      <span className="flex flex-wrap items-baseline justify-between gap-x-3">
        <span>
          <span className="font-medium text-ink-1">{id}</span>{" "}
          <span className="text-12 text-ink-2">
            {scope === null ? "all spending" : `${scope.dimension} ${scope.name}`}
          </span>
        </span>
        <span className="text-12 text-ink-2 tabular-nums">
          <span className={classNames(tone === "bad" && "text-bad", tone === "warn" && "text-warn")}>
            {formatMoney(spent_nano_usd)}
          </span>{" "}
          of {formatMoney(limit_nano_usd)} this {period}, begins anew {begins}
        </span>
      </span>
      <span
        role="meter"
        aria-label={`${id}: used`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.min(used_percent, 100)}
        aria-valuetext={`${used_percent} % used, ${elapsed_percent} % of the ${period} is over`}
        title={`${used_percent} % used, ${elapsed_percent} % of the ${period} is over`}
        className="relative h-2 rounded-full bg-surface-3"
      >
        <span
          data-mark
          className={classNames(
            "block h-full rounded-full",
            tone === "bad" ? "bg-bad" : tone === "warn" ? "bg-warn" : "bg-accent",
          )}
          style={{ width: `${Math.min(used_percent, 100)}%` }}
        />
        <span
          data-mark
          className="absolute -inset-y-0.5 w-0.5 rounded-full bg-ink-2"
          style={{ left: `${elapsed_percent}%` }}
        />
      </span>
      {tone === "bad" && (
        <span className="text-12 text-bad">
          Requests are refused until then. Allow more: <code>gatehouse budgets set {id} --limit AMOUNT</code>
        </span>
      )}
    </li>
  );
}
