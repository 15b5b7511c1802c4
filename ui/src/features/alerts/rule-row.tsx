/** One rule as a row: when it fires, how severe that is, and what becomes of its alerts. Opens to its whole sentence. */
import { ChevronRight, SlidersHorizontal } from "lucide-react";
import { useId, useState } from "react";
import { IconButton } from "@/components/button/button";
import { Select } from "@/components/form/select";
import { notifyError } from "@/components/overlay/toast";
import { StateBadge } from "@/components/state/state-mark";
import { Moment } from "@/components/text/moment";
import { DELIVERIES } from "@/features/alerts/deliveries";
import { RuleEditor } from "@/features/alerts/rule-editor";
import { severityOf, unshownText } from "@/features/alerts/severities";
import { useAction } from "@/ipc/actions";
import type { AlertChannelView, AlertDelivery, AlertRuleView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { formatCount, formatCounted } from "@/lib/quantity";
import { ALERT_SEVERITY } from "@/lib/tables";

/** Rule, when it fires, severity, alerts of a week (where there is room), what becomes of them, edit. */
const COLUMNS =
  "grid grid-cols-[172px_minmax(0,1fr)_124px_128px_32px] items-center gap-x-3 px-4 @min-[960px]:grid-cols-[200px_minmax(0,1fr)_140px_56px_136px_32px]";

export function RuleColumns() {
  return (
    <div aria-hidden className={classNames(COLUMNS, "h-9 text-12 text-ink-3")}>
      <span className="pl-5">Rule</span>
      <span>Fires when</span>
      <span>Severity</span>
      <span className="hidden text-right @min-[960px]:block">7 days</span>
      <span>Its alerts</span>
    </div>
  );
}

export function RuleRow({ rule, channels }: { rule: AlertRuleView; channels: AlertChannelView[] }) {
  const [isOpen, setOpen] = useState(false);
  const [isEditing, setEditing] = useState(false);
  const details = useId();
  const set = useAction("alertRuleSet", (call, delivery: AlertDelivery) =>
    call({ rule: rule.rule, delivery, hold_secs: null, threshold: null, minimum: null, severity: null }),
  );
  return (
    <li className="border-t border-line py-1 [--control-height:28px]">
      <div className={COLUMNS}>
        <h3 className="min-w-0">
          <button
            type="button"
            aria-expanded={isOpen}
            aria-controls={details}
            onClick={() => setOpen(!isOpen)}
            className={classNames(
              "flex w-full items-center gap-1.5 rounded-mark py-1 text-left font-medium",
              rule.delivery === "off" ? "text-ink-3" : "text-ink-1",
            )}
          >
            <ChevronRight
              size={14}
              strokeWidth={1.5}
              aria-hidden
              className={classNames("shrink-0 text-ink-3 transition-transform duration-150", isOpen && "rotate-90")}
            />
            <span className="truncate">{rule.title}</span>
          </button>
        </h3>
        <p className="truncate text-12 text-ink-2">
          <span className="sr-only">Fires when </span>
          {whenOf(rule.condition)}
        </p>
        <Severity rule={rule} channels={channels} />
        <span className="numeric hidden text-12 text-ink-2 @min-[960px]:block">
          {rule.fired_last_week > 0 && formatCount(rule.fired_last_week)}
          {rule.fired_last_week > 0 && <span className="sr-only"> times in 7 days</span>}
        </span>
        <Select
          aria-label={`${rule.title}: what becomes of its alerts`}
          options={DELIVERIES}
          value={rule.delivery}
          onChange={(delivery) => set.mutate(delivery, { onError: notifyError })}
        />
        <IconButton
          label={`Edit the rule ${rule.title}`}
          icon={SlidersHorizontal}
          disabled={rule.hold === null}
          onClick={() => setEditing(true)}
        />
      </div>
      <div id={details} hidden={!isOpen} className="max-w-[76ch] pt-1 pr-4 pb-2 pl-9 text-12 text-pretty text-ink-2">
        <p>{rule.condition}</p>
        <p className="text-ink-3">
          {rule.last_fired_at === null ? (
            "Never fired."
          ) : (
            <>
              Last fired <Moment at={rule.last_fired_at} />, {formatCounted(rule.fired_last_week, "time", "times")} in 7
              days.
            </>
          )}
        </p>
      </div>
      {isEditing && <RuleEditor rule={rule} channels={channels} onClose={() => setEditing(false)} />}
    </li>
  );
}

function Severity({ rule, channels }: { rule: AlertRuleView; channels: AlertChannelView[] }) {
  const severity = severityOf(rule);
  if (severity === null)
    return (
      <span className="text-12 text-ink-3" title="It follows from what happened.">
        Varies
      </span>
    );
  const unshown = rule.delivery === "notification" ? unshownText(severity, channels) : null;
  return (
    <span className="flex min-w-0 items-center gap-1 text-12 whitespace-nowrap" title={unshown?.sentence}>
      <StateBadge sign={ALERT_SEVERITY[severity]} />
      {unshown !== null && <span className="text-ink-3">· {unshown.short}</span>}
    </span>
  );
}

/** The condition alone, of the core's "Fires when …. Ends when …." */
function whenOf(condition: string): string {
  return condition.replace(/^Fires when /, "").replace(/\. Ends when .*$/s, "");
}
