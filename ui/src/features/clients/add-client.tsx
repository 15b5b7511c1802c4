/** Creates a token for a tool, then shows how to use it. */
import { FormProvider, useForm, useWatch } from "react-hook-form";
import { ANY_SCOPE, readScope, SCOPE_FIELDS, ScopeFields } from "@/features/clients/scope-fields";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ClientAdd } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";

const USES = [
  { value: "models", label: "Requests to models" },
  { value: "metrics", label: "Metrics for Prometheus, and nothing else" },
];

const FIELDS = ["id", "expires_in_days", "monthly_limit_usd", "project", ...SCOPE_FIELDS];
const NEVER = "never";
const EXPIRIES = [
  { value: NEVER, label: "Never" },
  { value: "7", label: "In 7 days" },
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In a year" },
];

interface AddClientProps {
  open: boolean;
  onClose: () => void;
  onAdded: (id: string) => void;
}

export function AddClientDialog({ open, onClose, onAdded }: AddClientProps) {
  return (
    <Dialog open={open} onClose={onClose} title="Add a client" description="A token of its own for a tool or a script.">
      <AddClientForm onClose={onClose} onAdded={onAdded} />
    </Dialog>
  );
}

function AddClientForm({ onClose, onAdded }: Omit<AddClientProps, "open">) {
  const form = useForm({
    defaultValues: { id: "", ends: NEVER, use: "models", limit: "", project: "", scope: ANY_SCOPE },
  });
  const isForModels = useWatch({ control: form.control, name: "use" }) === "models";
  const add = useAction("clientAdd", (call, req: ClientAdd) => call(req));
  const submit = form.handleSubmit(({ id, ends, use, limit, project, scope }) =>
    add.mutate(
      {
        id: id.trim(),
        expires_in_days: ends === NEVER ? null : Number(ends),
        scope: readScope(use === "models" ? scope : ANY_SCOPE),
        reads_metrics: use === "metrics",
        monthly_limit_usd: use === "models" && limit.trim() !== "" ? limit.trim() : null,
        project: use === "models" && project.trim() !== "" ? project.trim() : null,
      },
      {
        onSuccess: (client) => {
          onAdded(client.id);
          notify({ title: `Added ${client.id}`, detail: "Copy a snippet to use it." });
        },
      },
    ),
  );
  return (
    <FormProvider {...form}>
      <form noValidate onSubmit={(event) => void submit(event)} className="flex min-h-0 flex-col">
        <DialogBody className="flex flex-col gap-4">
          <Field label="Name" help="The tool's name, for example claude-code." fault={faultOf(add.error, "id")}>
            {(control) => <TextInput {...control} mono {...form.register("id")} />}
          </Field>
          <Field label="For">
            {(control) => <FormSelect {...control} name="use" control={form.control} options={USES} />}
          </Field>
          <Field label="Expires" fault={faultOf(add.error, "expires_in_days")}>
            {(control) => <FormSelect {...control} name="ends" control={form.control} options={EXPIRIES} />}
          </Field>
          {isForModels && (
            <>
              <Field
                label="Monthly budget"
                help="US dollars. Above it, its requests are refused."
                fault={faultOf(add.error, "monthly_limit_usd")}
                optional
              >
                {(control) => (
                  <TextInput {...control} inputMode="decimal" className="w-40" {...form.register("limit")} />
                )}
              </Field>
              <Field
                label="Project"
                help="Its requests belong to it, whatever they say."
                fault={faultOf(add.error, "project")}
                optional
              >
                {(control) => <TextInput {...control} className="w-60" {...form.register("project")} />}
              </Field>
              <ScopeFields error={add.error} />
            </>
          )}
          <ErrorNotice error={faultElsewhere(add.error, FIELDS)} />
        </DialogBody>
        <SubmitFoot onCancel={onClose} busy={add.isPending}>
          Create token
        </SubmitFoot>
      </form>
    </FormProvider>
  );
}
