/** A select for a form field. Apart from the select, which is also used without forms. */
import { useController, type Control, type FieldPath, type FieldValues } from "react-hook-form";
import { Select, type SelectLook } from "@/components/form/select";

interface FormSelectProps<Values extends FieldValues> extends SelectLook<string> {
  name: FieldPath<Values>;
  /** Defaults to the control of the surrounding form. */
  control?: Control<Values>;
}

export function FormSelect<Values extends FieldValues>({ name, control, ...rest }: FormSelectProps<Values>) {
  const { field } = useController<Values>({ name, ...(control === undefined ? {} : { control }) });
  return <Select {...rest} value={field.value as string} onChange={field.onChange} />;
}
