/**
 * The editor of a default, or of the objective of one route, backend or service. It shows what would be allowed and who
 * would miss it before anything is saved.
 */
import { useState } from "react";
import { useForm, useWatch } from "react-hook-form";
import { Choice } from "@/components/form/choice";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { notify } from "@/components/overlay/toast";
import { ObjectiveFields, type ObjectiveDraft } from "@/features/health/objective-fields";
import { useAction } from "@/ipc/actions";
import type { ObjectiveTarget, ServiceGoal, ServiceLevelSet, ServicePeriod } from "@/ipc/bindings";
import { usePreview } from "@/ipc/preview";
import { faultElsewhere, faultOf } from "@/lib/fault";

const FIELDS = ["goal", "period", "max_ms"] as const;

export interface EditedObjective {
  target: ObjectiveTarget;
  /** One route, backend or service; null for a default. */
  name: string | null;
  label: string;
  goal: ServiceGoal;
  period: ServicePeriod;
  /** Only of first tokens. */
  maxMs: number | null;
  /** Of one that may follow the default. */
  own: { isOwn: boolean; defaultObjective: string } | null;
}

type Followed = "default" | "own";
const FOLLOWED: { value: Followed; label: string }[] = [
  { value: "default", label: "Default" },
  { value: "own", label: "Its own" },
];

export function ObjectiveDialog({ edited, onClose }: { edited: EditedObjective; onClose: () => void }) {
  const { label, goal, period, maxMs, own } = edited;
  const [followed, setFollowed] = useState<Followed>(own === null || own.isOwn ? "own" : "default");
  const form = useForm<ObjectiveDraft>({ defaultValues: { goal, period, max_ms: String(maxMs ?? "") } });
  const draft = useWatch({ control: form.control }) as ObjectiveDraft;
  const set = useAction("serviceLevelSet", (call, req: ServiceLevelSet) => call(req));
  const asked = requestOf(edited, followed, draft);
  const preview = usePreview(["service_level_preview", asked], (host) => host.serviceLevelPreview(asked));
  const submit = form.handleSubmit((typed) =>
    set.mutate(requestOf(edited, followed, typed), {
      onSuccess: () => {
        onClose();
        notify({ title: `Saved the objective of ${label.charAt(0).toLowerCase()}${label.slice(1)}` });
      },
    }),
  );
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Objective: ${label}`}
      description="Takes effect immediately, including for alerts."
    >
      <form noValidate onSubmit={(event) => void submit(event)} className="flex min-h-0 flex-col">
        <DialogBody className="flex flex-col gap-4">
          {own !== null && (
            <div className="flex flex-wrap items-center gap-3">
              <Choice label="Objective" options={FOLLOWED} value={followed} onChange={setFollowed} />
              {followed === "default" && <span className="text-12 text-ink-2">{own.defaultObjective}</span>}
            </div>
          )}
          {followed === "own" && (
            <ObjectiveFields
              form={form}
              target={edited.target}
              isOne={edited.name !== null}
              faultAt={(field) => faultOf(set.error ?? preview.error, field)}
            />
          )}
          <section
            aria-label="What it allows"
            aria-live="polite"
            className="min-h-[60px] rounded-control bg-surface-2 p-3"
          >
            <p className="text-ink-1">{preview.data?.consequence}</p>
            <p className="text-12 text-ink-2">{preview.data?.effect}</p>
          </section>
          <ErrorNotice error={faultElsewhere(set.error, FIELDS)} />
        </DialogBody>
        <SubmitFoot onCancel={onClose} busy={set.isPending}>
          Save
        </SubmitFoot>
      </form>
    </Dialog>
  );
}

/** What is not a whole number becomes one that the core refuses with its limits. */
function requestOf(
  { target, name }: EditedObjective,
  followed: Followed,
  { goal, period, max_ms }: ObjectiveDraft,
): ServiceLevelSet {
  if (followed === "default") return { target, name, to_default: true };
  if (target !== "first-token") return { target, name, goal, period };
  const ms = /^\d{1,6}$/.test(max_ms.trim()) ? Number(max_ms.trim()) : 0;
  return { target, name, goal: name === null ? goal : null, max_ms: ms };
}
