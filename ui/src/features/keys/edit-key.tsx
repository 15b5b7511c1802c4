/** What only the user knows of a key: its display name, when it ends, and a note. */
import { useForm } from "react-hook-form";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { CONTROL, Field, TextInput } from "@/components/form/field";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { KeyEdit, KeyView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { classNames } from "@/lib/class-names";
import { endOfDay, lastDay } from "@/lib/last-day";

export function EditKeyDialog({ stored, open, onClose }: { stored: KeyView; open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title={`Edit the ${stored.label} key`}>
      <EditKeyForm stored={stored} onClose={onClose} />
    </Dialog>
  );
}

function EditKeyForm({ stored, onClose }: { stored: KeyView; onClose: () => void }) {
  const form = useForm({
    defaultValues: { label: stored.label, last: lastDay(stored.expires_at), note: stored.note ?? "" },
  });
  const edit = useAction("keyEdit", (call, req: KeyEdit) => call(req));
  const submit = form.handleSubmit(({ label, last, note }) =>
    edit.mutate(
      { id: stored.id, label: label.trim(), expires_at: endOfDay(last), note: note.trim() === "" ? null : note.trim() },
      {
        onSuccess: (key) => {
          onClose();
          notify({ title: `Saved the ${key.label} key` });
        },
      },
    ),
  );
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex min-h-0 flex-col">
      <DialogBody className="flex flex-col gap-4">
        <Field label="Display name" fault={faultOf(edit.error, "label")}>
          {(control) => <TextInput {...control} {...form.register("label")} />}
        </Field>
        <Field
          label="Last day"
          help="As the provider shows it. You are told two weeks before."
          fault={faultOf(edit.error, "expires_at")}
          optional
        >
          {(control) => <TextInput {...control} type="date" className="w-40" {...form.register("last")} />}
        </Field>
        <Field
          label="Note"
          help="Whose it is or what it is for, at most 500 characters. Stored as plain text: no key in it."
          fault={faultOf(edit.error, "note")}
          optional
        >
          {(control) => (
            <textarea
              {...control}
              {...form.register("note")}
              rows={3}
              className={classNames(CONTROL, "h-auto w-full resize-y py-2")}
            />
          )}
        </Field>
        <ErrorNotice error={faultElsewhere(edit.error, ["label", "expires_at", "note"])} />
      </DialogBody>
      <SubmitFoot onCancel={onClose} busy={edit.isPending}>
        Save
      </SubmitFoot>
    </form>
  );
}
