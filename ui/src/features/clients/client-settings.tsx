/** A client's scope, limits, cache mode, priority and access to MCP. */
import { FormProvider, useForm, useWatch } from "react-hook-form";
import { readScope, SCOPE_FIELDS, ScopeFields, scopeTexts, type ScopeTexts } from "@/features/clients/scope-fields";
import { DiscardAndSave } from "@/components/form/discard-and-save";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import { LIMITS, LimitsFields, limitTexts, readLimits, type LimitTexts } from "@/components/form/limits-fields";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { CacheMode, ClientPriority, ClientView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { CACHE_MODES } from "@/lib/form-tables";
import { endOfDay, lastDay } from "@/lib/last-day";

interface ClientValues extends LimitTexts {
  cache: CacheMode | "";
  priority: ClientPriority;
  mcp: "no" | "yes";
  /** The day on which its token ends; empty for never. */
  last: string;
  /** Empty for the one that each request names. */
  project: string;
  scope: ScopeTexts;
}

const FIELDS = [...LIMITS.map((limit) => limit.name), ...SCOPE_FIELDS, "project", "expires_at"];

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
      last: lastDay(client.expires_at),
      project: client.project ?? "",
      scope: scopeTexts(client.scope),
    },
  });
  const cache = useWatch({ control: form.control, name: "cache" });
  const save = useAction("clientEdit", (call, values: ClientValues) => {
    const { limits: texts, cache, priority, mcp, scope: listed, last } = values;
    const limits = readLimits(texts);
    // A day that was not touched keeps its hour.
    const expires_at = last === lastDay(client.expires_at) ? client.expires_at : endOfDay(last);
    if ("code" in limits) return Promise.reject(limits);
    const mode = cache === "" ? null : cache;
    return call({
      id: client.id,
      limits,
      cache: mode,
      priority,
      scope: readScope(listed),
      mcp: mcp === "yes",
      project: values.project.trim() === "" ? null : values.project.trim(),
      expires_at,
    });
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
        <ScopeFields error={save.error} />
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
        <Field
          label="Project"
          help="Its requests belong to it, whatever they say. Empty for the one that each names."
          fault={faultOf(save.error, "project")}
          optional
        >
          {(given) => <TextInput {...given} className="w-60" {...form.register("project")} />}
        </Field>
        <Field
          label="Last day of its token"
          help="Empty for a token that does not expire."
          fault={faultOf(save.error, "expires_at")}
          optional
        >
          {(given) => <TextInput {...given} type="date" className="w-40" {...form.register("last")} />}
        </Field>
        <ErrorNotice error={faultElsewhere(save.error, FIELDS)} />
        <div className="flex justify-end gap-2">
          <DiscardAndSave onDiscard={() => form.reset()} saving={save.isPending} unchanged={!form.formState.isDirty} />
        </div>
      </form>
    </FormProvider>
  );
}
