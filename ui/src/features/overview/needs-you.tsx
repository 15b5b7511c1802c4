/** What needs a hand, most important first; the core keeps it to five. */
import { CircleCheck } from "lucide-react";
import { ActionButton } from "@/ipc/action-button";
import { Card } from "@/components/card";
import { Moment } from "@/components/moment";
import { StateMark } from "@/components/state-mark";
import type { VerdictView } from "@/ipc/bindings";
import { VERDICT } from "@/lib/states";

export function NeedsYou({ verdict }: { verdict: VerdictView }) {
  if (verdict.needs.length === 0) {
    return (
      <section
        aria-label="Needs you"
        className="flex items-center gap-3 rounded-card border border-line bg-surface-1 px-4 py-3"
      >
        <CircleCheck size={16} strokeWidth={1.5} aria-hidden className="text-ok" />
        <h2 className="font-medium whitespace-nowrap">Nothing needs you</h2>
        <span className="truncate text-12 text-ink-3">What goes wrong will stand here, the worst first.</span>
      </section>
    );
  }
  return (
    <Card title="Needs you" note={verdict.needs.length} flush>
      <ul>
        {verdict.needs.map((need) => (
          <li
            key={need.id}
            className="flex min-h-[52px] items-center gap-3 border-b border-line px-4 py-2 last:border-b-0"
          >
            <StateMark sign={VERDICT[need.level]} size={14} />
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium text-ink-1" title={need.title}>
                <span className="sr-only">{VERDICT[need.level].word}: </span>
                {need.title}
              </p>
              <p className="text-12 text-ink-2">
                {need.impact}
                {need.since !== null && (
                  <span className="text-ink-3">
                    {" "}
                    Since <Moment at={need.since} />.
                  </span>
                )}
              </p>
            </div>
            <ActionButton action={need.action} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
