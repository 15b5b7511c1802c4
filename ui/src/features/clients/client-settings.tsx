/** A client's scope, limits, cache mode, priority and access to MCP. */
import { FormProvider, useForm, useWatch } from "react-hook-form";
import { DiscardAndSave } from "@/components/discard-and-save";
import { ErrorNotice } from "@/components/error-notice";
import { Field, TextInput } from "@/components/field";
import { FormSelect } from "@/components/form-select";
import { LIMITS, LimitsFields, limitTexts, readLimits, type LimitTexts } from "@/components/limits-fields";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { CacheMode, ClientPriority, ClientScopeView, ClientView } from "@/ipc/bindings";
import { faultElsewhere } from "@/lib/fault";
import { CACHE_MODES } from "@/lib/form-tables";

interface ClientValues extends LimitTexts {
  cache: CacheMode | "";
  priority: ClientPriority;
  mcp: "no" | "yes";
  /** Comma-separated names. */
  scope: Record<keyof ClientScopeView, string>;
}

const SCOPES: readonly { name: keyof ClientScopeView; label: string; placeholder: string }[] = [
  { name: "models", label: "Allowed models", placeholder: "All models" },
  { name: "backends", label: "Allowed backends", placeholder: "All backends" },
  { name: "routes", label: "Allowed routes", placeholder: "All routes" },
];

const FIELDS = [...LIMITS.map((limit) => limit.name), ...SCOPES.map((scope) => `scope.${scope.name}`)];

const names = (text: string) =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

const PRIORITIES = [
  { value: "interactive", label: "High (interactive)" },
  { value: "background", label: "Low (background)" },
];

const CACHE_CHOICES = [{ value: "", label: "Set by the request or route" }, ...CACHE_MODES];

const MCP_ACCESS = [
  { value: "no", label: "Not allowed" },
  { value: "yes", label: "Allowed with this client's token" },
];

export function ClientSettings({ client }: { client: ClientView }) {
  const form = useForm<ClientValues>({
    defaultValues: {
      limits: limitTexts(client.limits),
      cache: client.cache ?? "",
      priority: client.priority,
      mcp: client.mcp ? "yes" : "no",
      scope: {
        models: client.scope.models.join(", "),
        backends: client.scope.backends.join(", "),
        routes: client.scope.routes.join(", "),
      },
    },
  });
  const cache = useWatch({ control: form.control, name: "cache" });
  const save = useAction("clientEdit", (call, { limits: texts, cache, priority, mcp, scope: listed }: ClientValues) => {
    const limits = readLimits(texts);
    if ("code" in limits) return Promise.reject(limits);
    const scope = { models: names(listed.models), backends: names(listed.backends), routes: names(listed.routes) };
    return call({ id: client.id, limits, cache: cache === "" ? null : cache, priority, scope, mcp: mcp === "yes" });
  });
  const submit = form.handleSubmit((values) =>
    save.mutate(values, {
      onSuccess: () => {
        form.reset(values);
        notify({ title: `Saved ${client.id}`, detail: "Takes effect with its next request." });
      },
    }),
  );
  return (
    <FormProvider {...form}>
      <form noValidate aria-label="Limits" onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <LimitsFields error={save.error} />
        {SCOPES.map(({ name, label, placeholder }) => (
          <Field
            key={name}
            label={label}
            help={name === "models" ? "Separate with commas. A trailing * matches anything." : undefined}
            fault={save.error?.field === `scope.${name}` ? save.error.message : undefined}
            optional
          >
            {(given) => <TextInput mono placeholder={placeholder} {...given} {...form.register(`scope.${name}`)} />}
          </Field>
        ))}
        <div className="grid grid-cols-2 gap-3">
          <Field label="Priority when the gateway is busy">
            {(given) => <FormSelect<ClientValues> {...given} name="priority" options={PRIORITIES} />}
          </Field>
          <Field label="Response cache" help={CACHE_MODES.find(({ value }) => value === cache)?.note}>
            {(given) => <FormSelect<ClientValues> {...given} name="cache" options={CACHE_CHOICES} />}
          </Field>
        </div>
        <Field label="MCP over HTTP" help="Needs Settings, Agents, Serve over HTTP.">
          {(given) => <FormSelect<ClientValues> {...given} name="mcp" options={MCP_ACCESS} />}
        </Field>
        <ErrorNotice error={faultElsewhere(save.error, FIELDS)} />
        <div className="flex justify-end gap-2">
          <DiscardAndSave onDiscard={() => form.reset()} saving={save.isPending} unchanged={!form.formState.isDirty} />
        </div>
      </form>
    </FormProvider>
  );
}
