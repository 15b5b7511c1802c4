/** What needs attention, most urgent first. The core limits it to five. */
import { ActionButton } from "@/connected/action-button";
import { Card } from "@/components/card";
import { Moment } from "@/components/moment";
import { StateMark } from "@/components/state-mark";
import { WithCode } from "@/components/with-code";
import type { VerdictView } from "@/ipc/bindings";
import { VERDICT } from "@/lib/tables";

export function NeedsYou({ verdict }: { verdict: VerdictView }) {
  if (verdict.needs.length === 0) {
    return (
      <section
        aria-label="Issues"
        className="flex items-center gap-3 rounded-card border border-line bg-surface-1 px-4 py-3"
      >
        <StateMark sign={VERDICT[verdict.level]} size={14} />
        <h2 className="font-medium whitespace-nowrap">{verdict.level === "ok" ? "All clear" : "No known issues"}</h2>
        <span className="truncate text-12 text-ink-3">Problems will show up here, most urgent first.</span>
      </section>
    );
  }
  return (
    <Card title="Issues" note={verdict.needs.length} flush>
      <ul>
        {verdict.needs.map((need) => (
          <li
            key={need.id}
            className="flex min-h-[44px] items-center gap-3 border-b border-line px-4 py-1 last:border-b-0"
          >
            <StateMark sign={VERDICT[need.level]} size={14} />
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium text-ink-1" title={need.title}>
                <span className="sr-only">{VERDICT[need.level].word}: </span>
                {need.title}
              </p>
              <p className="text-12 text-ink-2">
                <WithCode>{need.impact}</WithCode>
                {need.since !== null && (
                  <span className="text-ink-3">
                    {" "}
                    Since <Moment at={need.since} />.
                  </span>
                )}
              </p>
            </div>
            <ActionButton action={need.action} need={need.id} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
