/** Silences: for a time, matching alerts are not shown as notifications. They are still measured and listed. */
import { BellOff, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { AlertsPage } from "@/features/alerts/alerts-page";
import { SILENCE_SPANS, silenceEnd, type SilenceSpan } from "@/lib/silence-spans";
import { Button, IconButton } from "@/components/button/button";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { EmptyState } from "@/components/notice/empty-state";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import { Moment } from "@/components/text/moment";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import { useAlertRules, useAlerts } from "@/ipc/alert-queries";
import type { AlertRule, AlertSilence, SilenceView } from "@/ipc/bindings";
import { useNow } from "@/lib/clock";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { formatCounted } from "@/lib/quantity";
import { textOrNull } from "@/lib/text";

export function SilencesScreen() {
  const alerts = useAlerts();
  const [isAdding, setAdding] = useState(false);
  return (
    <AlertsPage
      current="silences"
      lead={alerts.data && leadOf(alerts.data.silences)}
      actions={
        <Button look="primary" icon={Plus} onClick={() => setAdding(true)}>
          Add silence
        </Button>
      }
    >
      <section aria-label="Silences" className="rounded-card border border-line bg-surface-1">
        <Reading of={alerts} skeleton={<SkeletonRows rows={3} label="Loading silences" />}>
          {({ silences: all }) =>
            all.length === 0 ? (
              <EmptyState icon={BellOff} title="No silences">
                A silence keeps matching alerts from being shown as notifications until it ends. They are still measured
                and listed.
              </EmptyState>
            ) : (
              <ul>
                {all.map((silence) => (
                  <Silence key={silence.number} silence={silence} />
                ))}
              </ul>
            )
          }
        </Reading>
      </section>
      {isAdding && <AddSilence onClose={() => setAdding(false)} />}
    </AlertsPage>
  );
}

function Silence({ silence }: { silence: SilenceView }) {
  const rules = useAlertRules().data;
  const remove = useAction("silenceRemove", (call) => call({ number: silence.number }));
  const rule = rules?.find((one) => one.rule === silence.rule)?.title ?? silence.rule;
  const what = [rule ?? "Every alert", silence.scope && `of ${silence.scope}`].filter(Boolean).join(" ");
  return (
    <li className="flex min-h-[52px] items-center gap-3 border-b border-line px-4 py-2 last:border-b-0">
      <BellOff size={14} strokeWidth={1.5} aria-hidden className="shrink-0 text-ink-3" />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium text-ink-1">{what}</p>
        <p className="truncate text-12 text-ink-2">
          Ends <Moment at={silence.until} />
          {silence.reason !== "" && <span className="text-ink-3">; {silence.reason}</span>}
        </p>
      </div>
      <IconButton
        label={`Remove the silence of ${what}`}
        icon={Trash2}
        disabled={remove.isPending}
        onClick={() => remove.mutate(undefined, { onError: notifyError })}
      />
    </li>
  );
}

const ANY = "";
const FIELDS = ["rule", "scope", "reason", "until"] as const;

function AddSilence({ onClose }: { onClose: () => void }) {
  const now = useNow();
  const rules = useAlertRules().data ?? [];
  const form = useForm<{ rule: AlertRule | ""; scope: string; reason: string; span: SilenceSpan }>({
    defaultValues: { rule: ANY, scope: "", reason: "", span: "hour" },
  });
  const add = useAction("alertSilence", (call, req: AlertSilence) => call(req));
  const submit = form.handleSubmit(({ rule, scope, reason, span }) =>
    add.mutate(
      {
        rule: rule === ANY ? null : rule,
        scope: textOrNull(scope),
        reason,
        until: silenceEnd(span, now),
      },
      {
        onSuccess: () => {
          onClose();
          notify({ title: "Added the silence" });
        },
      },
    ),
  );
  return (
    <Dialog open onClose={onClose} title="Add silence" description="It always ends by itself.">
      <form noValidate onSubmit={(event) => void submit(event)} className="flex min-h-0 flex-col">
        <DialogBody className="flex flex-col gap-4">
          <Field label="Rule" fault={faultOf(add.error, "rule")}>
            {(control) => (
              <FormSelect
                {...control}
                name="rule"
                control={form.control}
                options={[
                  { value: ANY, label: "Every rule" },
                  ...rules.map(({ rule, title }) => ({ value: rule, label: title })),
                ]}
              />
            )}
          </Field>
          <Field
            label="Name"
            help="A backend, route, budget or key. Leave empty for all."
            fault={faultOf(add.error, "scope")}
            optional
          >
            {(control) => <TextInput {...control} mono {...form.register("scope")} />}
          </Field>
          <Field label="Silence" fault={faultOf(add.error, "until")}>
            {(control) => <FormSelect {...control} name="span" control={form.control} options={SILENCE_SPANS} />}
          </Field>
          <Field label="Reason" fault={faultOf(add.error, "reason")} optional>
            {(control) => <TextInput {...control} {...form.register("reason")} />}
          </Field>
          <ErrorNotice error={faultElsewhere(add.error, FIELDS)} />
        </DialogBody>
        <SubmitFoot onCancel={onClose} busy={add.isPending}>
          Add silence
        </SubmitFoot>
      </form>
    </Dialog>
  );
}

function leadOf(silences: SilenceView[]): string {
  return silences.length === 0 ? "Nothing is silenced." : `${formatCounted(silences.length, "silence", "silences")}.`;
}
