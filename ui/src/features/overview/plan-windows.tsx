/** The windows of plans that are used now, beside what is spent; nothing if no tool tells its limits. */
import { BudgetBar } from "@/components/budget-bar";
import { Moment } from "@/components/moment";
import { PanelLink } from "@/components/panel-link";
import { planWindowWords } from "@/components/plan-window";
import { TONE_TEXT } from "@/components/state-mark";
import { usePlans } from "@/ipc/usage-queries";
import { PLAN_WINDOW } from "@/lib/tables";

const SHOWN_MAX = 4;

export function PlanWindows() {
  const { data } = usePlans();
  const all = data?.plans.flatMap(({ label, windows }) => windows.map((window) => ({ plan: label, window }))) ?? [];
  const known = all.filter(({ window }) => window.used_percent !== null);
  if (known.length === 0) return null;
  return (
    <section aria-label="Plans" className="mt-2 border-t border-line pt-2.5">
      <ul className="flex flex-col gap-2">
        {known.slice(0, SHOWN_MAX).map(({ plan, window }) => {
          const sign = PLAN_WINDOW[window.state];
          const name = `${plan}, ${window.label}`;
          return (
            <li key={name} className="flex flex-col gap-1.5">
              <span className="flex items-baseline gap-2 text-12 text-ink-2">
                <PanelLink look="plain" path="/plans" className="min-w-0 flex-1 truncate">
                  {name}
                </PanelLink>
                {sign.tone === "ok" ? (
                  <span className="whitespace-nowrap text-ink-3">
                    <Moment at={window.read_at} />
                  </span>
                ) : (
                  <span className={`whitespace-nowrap ${TONE_TEXT[sign.tone]}`}>{sign.word.toLowerCase()}</span>
                )}
              </span>
              <BudgetBar
                label={`${name}: used`}
                usedPercent={window.used_percent ?? 0}
                elapsedPercent={window.elapsed_percent}
                marks={[]}
                tone={sign.tone}
                text={planWindowWords(window)}
              />
            </li>
          );
        })}
      </ul>
    </section>
  );
}
