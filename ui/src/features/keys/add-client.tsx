/** Makes a token for a tool, then shows how to use it. */
import { useForm } from "react-hook-form";
import { Button } from "@/components/button";
import { Dialog, DialogBody, DialogFoot } from "@/components/dialog";
import { ErrorNotice } from "@/components/error-notice";
import { Field, Select, TextInput } from "@/components/field";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { ClientAdd } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";

const FIELDS = ["id", "expires_in_days"] as const;
const NEVER = "never";

interface AddClientProps {
  open: boolean;
  onClose: () => void;
  onAdded: (id: string) => void;
}

export function AddClientDialog({ open, onClose, onAdded }: AddClientProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Connect a client"
      description="A tool on this machine gets its own token for the gateway."
    >
      <AddClientForm onClose={onClose} onAdded={onAdded} />
    </Dialog>
  );
}

function AddClientForm({ onClose, onAdded }: Omit<AddClientProps, "open">) {
  const form = useForm({ defaultValues: { id: "", ends: NEVER } });
  const add = useAction(["clients", "status"], (host, req: ClientAdd) => host.clientAdd(req));
  const submit = form.handleSubmit(({ id, ends }) =>
    add.mutate(
      { id: id.trim(), expires_in_days: ends === NEVER ? null : Number(ends) },
      {
        onSuccess: (client) => {
          onAdded(client.id);
          notify({ title: `${client.id} has its token`, detail: "Copy a snippet to use it." });
        },
      },
    ),
  );
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex min-h-0 flex-col">
      <DialogBody className="flex flex-col gap-4">
        <Field label="Name" help="The tool's name, for example claude-code." fault={faultOf(add.error, "id")}>
          {(control) => <TextInput {...control} mono {...form.register("id")} />}
        </Field>
        <Field label="Token ends" fault={faultOf(add.error, "expires_in_days")}>
          {(control) => (
            <Select {...control} {...form.register("ends")}>
              <option value={NEVER}>Never, until revoked</option>
              <option value="7">After 7 days</option>
              <option value="30">After 30 days</option>
              <option value="90">After 90 days</option>
              <option value="365">After a year</option>
            </Select>
          )}
        </Field>
        <ErrorNotice error={faultElsewhere(add.error, FIELDS)} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" busy={add.isPending}>
          Make token
        </Button>
      </DialogFoot>
    </form>
  );
}
