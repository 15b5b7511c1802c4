/** The choice of a key of the vault, in a form with a field `stored`. */
import { Field } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import type { KeyView } from "@/ipc/bindings";

export function StoredKeyField({ keys, fault = null }: { keys: readonly KeyView[]; fault?: string | null }) {
  return (
    <Field label="Stored key" fault={fault}>
      {(control) => (
        <FormSelect<{ stored: string }>
          {...control}
          name="stored"
          options={[
            { value: "", label: "Choose a key" },
            ...keys.map((key) => ({ value: key.id, label: `${key.label} (${key.id})` })),
          ]}
        />
      )}
    </Field>
  );
}
