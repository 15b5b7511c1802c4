/** What a client may ask for: comma-separated models, backends and routes. */
import { useFormContext } from "react-hook-form";
import { Field, TextInput } from "@/components/form/field";
import type { ApiError, ClientScopeView } from "@/ipc/bindings";

/** Comma-separated names. */
export type ScopeTexts = Record<keyof ClientScopeView, string>;

const SCOPES: readonly { name: keyof ClientScopeView; label: string; placeholder: string }[] = [
  { name: "models", label: "Allowed models", placeholder: "All models" },
  { name: "backends", label: "Allowed backends", placeholder: "All backends" },
  { name: "routes", label: "Allowed routes", placeholder: "All routes" },
];

/** The fields that an error may name. */
export const SCOPE_FIELDS = SCOPES.map(({ name }) => `scope.${name}`);

export const ANY_SCOPE: ScopeTexts = { models: "", backends: "", routes: "" };

export function scopeTexts({ models, backends, routes }: ClientScopeView): ScopeTexts {
  return { models: models.join(", "), backends: backends.join(", "), routes: routes.join(", ") };
}

const names = (text: string) =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

export function readScope({ models, backends, routes }: ScopeTexts): ClientScopeView {
  return { models: names(models), backends: names(backends), routes: names(routes) };
}

/** Of a form with the value `scope`. */
export function ScopeFields({ error }: { error: ApiError | null }) {
  const { register } = useFormContext<{ scope: ScopeTexts }>();
  return SCOPES.map(({ name, label, placeholder }) => (
    <Field
      key={name}
      label={label}
      help={name === "models" ? "Separate with commas. A trailing * matches anything." : undefined}
      fault={error?.field === `scope.${name}` ? error.message : undefined}
      optional
    >
      {(given) => <TextInput mono placeholder={placeholder} {...given} {...register(`scope.${name}`)} />}
    </Field>
  ));
}
