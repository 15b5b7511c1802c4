/** Assigns the core's error to the form field it names. */
import type { ApiError } from "@/ipc/bindings";

function named(error: ApiError): string | null {
  return error.field?.split(".").at(-1) ?? null;
}

/** The error text for the field `name`, if the error is about it. `key.secret` names `secret`. */
export function faultOf(error: ApiError | null, name: string): string | null {
  if (error === null || named(error) !== name) return null;
  return error.hint === null ? error.message : `${error.message} ${error.hint}`;
}

/** The error, if it is about none of the form's fields and so belongs above its buttons. */
export function faultElsewhere(error: ApiError | null, names: readonly string[]): ApiError | null {
  if (error === null) return null;
  const name = named(error);
  return name !== null && names.includes(name) ? null : error;
}
