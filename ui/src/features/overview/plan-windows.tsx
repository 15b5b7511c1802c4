/** The windows of a plan beside what is spent, in three lines; nothing if no tool tells its limits. */
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { PlanWindowBar, usedWords } from "@/components/chart/plan-window";
import { TONE_TEXT } from "@/components/state/state-mark";
import type { PlanView, PlanWindowView } from "@/ipc/bindings";
import { usePlans } from "@/ipc/usage-queries";
import { PLAN_WINDOW } from "@/lib/tables";

/** The card keeps its height with any number of plans; the others are on their own page. */
const WINDOWS_SHOWN_MAX = 2;

export function PlanWindows() {
  const { data } = usePlans();
  const plans = data?.plans.filter(({ windows }) => windows.some(isKnown)) ?? [];
  const [plan = plans[0]] = plans.filter(({ windows }) => windows.some(isPressing));
  if (plan === undefined) return null;
  return <Plan plan={plan} others={plans.length - 1} />;
}

function Plan({ plan, others }: { plan: PlanView; others: number }) {
  const windows = plan.windows
    .filter(isKnown)
    .toSorted((one, other) => Number(isPressing(other)) - Number(isPressing(one)));
  return (
    <section aria-label="Plans" className="mt-2 border-t border-line pt-2 text-12">
      <p className="flex items-baseline gap-2 text-ink-2">
        <PanelLink look="plain" path="/plans" className="min-w-0 flex-1 truncate">
          {others === 0 ? plan.label : `${plan.label} and ${others} more`}
        </PanelLink>
        <span className="whitespace-nowrap text-ink-3">
          <Moment at={plan.read_at} />
        </span>
      </p>
      <ul className="grid grid-cols-[auto_1fr_auto] items-center gap-x-2 whitespace-nowrap">
        {windows.slice(0, WINDOWS_SHOWN_MAX).map((window) => (
          <li key={window.label} className="contents">
            <span className="text-ink-3">{window.label}</span>
            <PlanWindowBar name={`${plan.label}, ${window.label}`} window={window} />
            <PlanWindowWord window={window} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What is used, or what is wrong with it. */
function PlanWindowWord({ window }: { window: PlanWindowView }) {
  const { tone, word } = PLAN_WINDOW[window.state];
  return (
    <span className={`text-right ${tone === "ok" ? "text-ink-3" : TONE_TEXT[tone]}`}>
      {tone === "ok" ? usedWords(window) : word.toLowerCase()}
    </span>
  );
}

function isKnown({ used_percent: used }: PlanWindowView): boolean {
  return used !== null;
}

function isPressing(window: PlanWindowView): boolean {
  return window.state === "runs_out" || window.state === "used_up";
}
