/** The editor of a rule: what becomes of its alerts and the numbers that it judges by, with the sentence they make. */
import { useState } from "react";
import { useForm, useWatch } from "react-hook-form";
import { Button } from "@/components/button/button";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput, type ControlProps } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import { notify } from "@/components/overlay/toast";
import { BackTest } from "@/features/alerts/back-test";
import { DELIVERIES } from "@/features/alerts/deliveries";
import { Rehearsal } from "@/features/alerts/rehearsal";
import { SEVERITIES, unshownText } from "@/features/alerts/severities";
import { useAction } from "@/ipc/actions";
import { usePreview } from "@/ipc/preview";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { formatCount } from "@/lib/quantity";
import type {
  AlertChannelView,
  AlertDelivery,
  AlertRuleNumberView,
  AlertRuleSet,
  AlertRuleView,
  AlertSeverity,
} from "@/ipc/bindings";

const NUMBERS = [
  { name: "hold_secs", label: "Holds for", of: (rule: AlertRuleView) => rule.hold },
  { name: "threshold", label: "Threshold", of: (rule: AlertRuleView) => rule.threshold },
  { name: "minimum", label: "Least number of requests", of: (rule: AlertRuleView) => rule.minimum },
] as const;

const FIELDS = ["delivery", "hold_secs", "threshold", "minimum", "severity"] as const;

interface Draft {
  delivery: AlertDelivery;
  hold_secs: string;
  threshold: string;
  minimum: string;
  /** Empty where it follows from what happened. */
  severity: AlertSeverity | "";
}

interface RuleEditorProps {
  rule: AlertRuleView;
  channels: AlertChannelView[];
  onClose: () => void;
}

export function RuleEditor({ rule, channels, onClose }: RuleEditorProps) {
  const form = useForm<Draft>({ defaultValues: draftOf(rule) });
  const draft = useWatch({ control: form.control }) as Draft;
  const set = useAction("alertRuleSet", (call, req: AlertRuleSet) => call(req));
  const [isRehearsing, setRehearsing] = useState(false);
  const numbers = requestOf(rule, draft);
  const preview = usePreview(["alert_rule_preview", numbers], (host) => host.alertRulePreview(numbers));
  const submit = form.handleSubmit((typed) =>
    set.mutate(requestOf(rule, typed), {
      onSuccess: () => {
        onClose();
        notify({ title: `Saved the rule ${rule.title}` });
      },
    }),
  );
  const fault = (field: (typeof FIELDS)[number]) => faultOf(set.error ?? preview.error, field);
  const unshown =
    draft.delivery === "notification" && draft.severity !== "" ? unshownText(draft.severity, channels) : null;
  const standard = () => form.reset({ ...draftOf(rule, "default"), delivery: draft.delivery });
  return (
    <Dialog open onClose={onClose} title={rule.title} description="In force with the next evaluation." width="wide">
      <form noValidate onSubmit={(event) => void submit(event)} className="flex min-h-0 flex-col">
        <DialogBody className="flex flex-col gap-4">
          <Field label="Its alerts" help={unshown?.sentence} fault={fault("delivery")}>
            {(control) => <FormSelect {...control} name="delivery" control={form.control} options={DELIVERIES} />}
          </Field>
          {NUMBERS.map(({ name, label, of }) => {
            const number = of(rule);
            return (
              number !== null && (
                <Field key={name} label={label} help={helpOf(number)} fault={fault(name)}>
                  {(control: ControlProps) => (
                    <span className="flex items-center gap-2">
                      <TextInput
                        {...control}
                        inputMode="numeric"
                        className="w-28 text-right"
                        {...form.register(name)}
                      />
                      <span className="text-12 text-ink-3">{unitOf(number)}</span>
                    </span>
                  )}
                </Field>
              )
            );
          })}
          {rule.severity !== null && (
            <Field label="Severity" fault={fault("severity")}>
              {(control) => <FormSelect {...control} name="severity" control={form.control} options={SEVERITIES} />}
            </Field>
          )}
          <section aria-label="What the rule says" aria-live="polite" className="min-h-[60px] text-12 text-ink-2">
            {preview.data?.sentence ?? rule.condition}
          </section>
          <ErrorNotice error={faultElsewhere(set.error, FIELDS)} />
          <BackTest numbers={numbers} />
          {isRehearsing && <Rehearsal numbers={numbers} />}
        </DialogBody>
        <DialogFoot>
          <Button onClick={() => setRehearsing(!isRehearsing)} aria-expanded={isRehearsing} className="mr-auto">
            {isRehearsing ? "Hide rehearsal" : "Rehearse"}
          </Button>
          <Button onClick={standard}>Defaults</Button>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={set.isPending}>
            Save
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}

function textOf(number: AlertRuleNumberView | null, which: "value" | "default"): string {
  return number === null ? "" : String(number[which]);
}

function draftOf(rule: AlertRuleView, which: "value" | "default" = "value"): Draft {
  return {
    delivery: rule.delivery,
    hold_secs: textOf(rule.hold, which),
    threshold: textOf(rule.threshold, which),
    minimum: textOf(rule.minimum, which),
    severity: rule.severity?.[which] ?? "",
  };
}

/** What is not a whole number becomes one that the core refuses with its limits. */
function numberOf(text: string, view: AlertRuleNumberView | null): number | null {
  if (view === null) return null;
  return /^\d{1,9}$/.test(text.trim()) ? Number(text.trim()) : view.max + 1;
}

function requestOf(rule: AlertRuleView, draft: Draft): AlertRuleSet {
  return {
    rule: rule.rule,
    delivery: draft.delivery,
    hold_secs: numberOf(draft.hold_secs, rule.hold),
    threshold: numberOf(draft.threshold, rule.threshold),
    minimum: numberOf(draft.minimum, rule.minimum),
    severity: draft.severity === "" ? null : draft.severity,
  };
}

function helpOf({ meaning, default: standard, min, max, unit }: AlertRuleNumberView): string {
  const sentence = meaning.replace(/\.$/, "");
  return `${sentence}. ${formatCount(min)} to ${formatCount(max)} ${unit}, default ${formatCount(standard)}.`;
}

function unitOf({ unit }: AlertRuleNumberView): string {
  return unit === "s" ? "seconds" : unit;
}
