/** How a new key is called and where it may go: the same for each kind of key. */
import type { UseFormRegisterReturn } from "react-hook-form";
import { Field, TextInput } from "@/components/form/field";
import type { ApiError } from "@/ipc/bindings";
import { faultOf } from "@/lib/fault";

interface KeyNameFieldsProps {
  register: (name: "id" | "label" | "url") => UseFormRegisterReturn;
  /** What the allowed host means for this kind of key. */
  hostHelp: string;
  error: ApiError | null;
}

export function KeyNameFields({ register, hostHelp, error }: KeyNameFieldsProps) {
  return (
    <>
      <div className="grid grid-cols-2 gap-4">
        <Field label="ID" help="Used in settings." fault={faultOf(error, "id")}>
          {(control) => <TextInput {...control} mono {...register("id")} />}
        </Field>
        <Field label="Display name" optional fault={faultOf(error, "label")}>
          {(control) => <TextInput {...control} {...register("label")} />}
        </Field>
      </div>
      <Field label="Allowed host" optional help={hostHelp} fault={faultOf(error, "url")}>
        {(control) => <TextInput {...control} mono placeholder="https://" {...register("url")} />}
      </Field>
    </>
  );
}
