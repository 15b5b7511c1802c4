/** Adding a service and changing one: what it is, how it is checked, and with which key. */
import { useRef, useState } from "react";
import { FormProvider, useForm, useFormContext, useWatch } from "react-hook-form";
import { kindWords, SERVICE_KINDS } from "@/features/health/service-kinds";
import { Choice, type Option } from "@/components/form/choice";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import { SecretField } from "@/components/form/secret-field";
import { StoredKeyField } from "@/components/form/stored-key-field";
import { Tick } from "@/components/form/tick";
import { useAction } from "@/ipc/actions";
import type { ApiError, ServiceKey, ServiceKind, ServiceMethod, ServiceSet, ServiceView } from "@/ipc/bindings";
import { useKeys, usePresets } from "@/ipc/queries";
import { faultElsewhere, faultOf } from "@/lib/fault";

interface ServiceValues {
  id: string;
  label: string;
  kind: ServiceKind;
  address: string;
  stored: string;
  required: boolean;
  privateNetwork: boolean;
  method: ServiceMethod;
  status: string;
  contains: string;
  keyHeader: string;
  scopes: string;
}

const FIELDS = ["id", "label", "kind", "address", "secret", "key", "status", "contains", "key_header", "scopes"];

type KeyMode = ServiceKey["kind"];

export function ServiceDialog({ service, onClose }: { service: ServiceView | null; onClose: () => void }) {
  const title = service === null ? "Add service" : `Edit ${service.label}`;
  return (
    <Dialog open onClose={onClose} title={title} width="wide">
      <ServiceForm service={service} onClose={onClose} />
    </Dialog>
  );
}

function ServiceForm({ service, onClose }: { service: ServiceView | null; onClose: () => void }) {
  const secret = useRef<HTMLInputElement>(null);
  const hasKey = service !== null && service.credential !== null;
  const [mode, setMode] = useState<KeyMode>(hasKey ? "keep" : "none");
  const form = useForm<ServiceValues>({ defaultValues: valuesOf(service) });
  const kind = useWatch({ control: form.control, name: "kind" });
  const words = kindWords(kind);
  // A token is what such a service is.
  const chosen: KeyMode = words.secret === null ? "none" : kind === "github" && mode === "none" ? "new" : mode;
  const save = useAction("serviceSet", (call, values: ServiceValues) =>
    call(setOf(values, keyOf(chosen, values, secret.current), service?.enabled ?? true)),
  );
  const send = (values: ServiceValues) =>
    save.mutate(values, {
      onSuccess: () => {
        if (secret.current) secret.current.value = "";
        onClose();
      },
    });
  return (
    <FormProvider {...form}>
      <form
        noValidate
        onSubmit={(event) => void form.handleSubmit(send)(event)}
        className="flex min-h-0 flex-1 flex-col"
      >
        <DialogBody className="flex flex-col gap-3">
          <div className="grid grid-cols-2 gap-4">
            {service === null && (
              <Field label="Name" fault={faultOf(save.error, "id")}>
                {(control) => <TextInput {...control} mono placeholder="store" {...form.register("id")} />}
              </Field>
            )}
            <Field label="Display name" optional fault={faultOf(save.error, "label")}>
              {(control) => <TextInput {...control} {...form.register("label")} />}
            </Field>
          </div>
          <div className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] gap-4">
            <Field label="Kind" fault={faultOf(save.error, "kind")}>
              {(control) => <FormSelect<ServiceValues> {...control} name="kind" options={SERVICE_KINDS} />}
            </Field>
            <Field label="Address" optional={kind === "github"} fault={faultOf(save.error, "address")}>
              {(control) => (
                <TextInput {...control} mono placeholder={words.placeholder} {...form.register("address")} />
              )}
            </Field>
          </div>
          {words.secret !== null && (
            <KeyFields
              label={words.secret}
              modes={modesOf(kind, hasKey)}
              mode={chosen}
              onMode={setMode}
              secret={secret}
              error={save.error}
            />
          )}
          {kind === "http" && <Expectation error={save.error} />}
          {kind === "github" && (
            <Field
              label="Scopes"
              optional
              help="That the token must have, separated by commas."
              fault={faultOf(save.error, "scopes")}
            >
              {(control) => <TextInput {...control} mono placeholder="repo, read:org" {...form.register("scopes")} />}
            </Field>
          )}
          <div className="grid gap-x-6 gap-y-2.5 sm:grid-cols-2">
            <Tick type="checkbox" label="Required" note="Work stops without it." {...form.register("required")} />
            <Tick
              type="checkbox"
              label="Private network"
              note="Its name may lead to a private address."
              {...form.register("privateNetwork")}
            />
          </div>
          <ErrorNotice error={faultElsewhere(save.error, FIELDS)} />
        </DialogBody>
        <SubmitFoot onCancel={onClose} busy={save.isPending}>
          {service === null ? "Add and check" : "Save"}
        </SubmitFoot>
      </form>
    </FormProvider>
  );
}

interface KeyFieldsProps {
  label: string;
  modes: Option<KeyMode>[];
  mode: KeyMode;
  onMode: (mode: KeyMode) => void;
  secret: React.RefObject<HTMLInputElement | null>;
  error: ApiError | null;
}

function KeyFields({ label, modes, mode, onMode, secret, error }: KeyFieldsProps) {
  const presets = usePresets().data ?? [];
  const keys = (useKeys().data ?? []).filter(({ billing }) => billing === null);
  const fault = faultOf(error, "key");
  return (
    <fieldset className="flex flex-wrap items-start gap-x-4 gap-y-2.5">
      <legend className="mb-1.5 text-12 font-medium">Key</legend>
      <Choice label="Key source" options={modes} value={mode} onChange={onMode} />
      <div className="-mt-6 min-w-56 flex-1">
        {mode === "new" && (
          <SecretField label={label} ref={secret} presets={presets} fault={faultOf(error, "secret") ?? fault} />
        )}
        {mode === "stored" && <StoredKeyField keys={keys} fault={fault} />}
        {(mode === "keep" || mode === "none") && fault !== null && (
          <p role="alert" className="mt-6 text-12 text-bad">
            {fault}
          </p>
        )}
      </div>
    </fieldset>
  );
}

const METHODS = [
  { value: "GET", label: "GET" },
  { value: "HEAD", label: "HEAD" },
];

function Expectation({ error }: { error: ApiError | null }) {
  const { register } = useFormContext<ServiceValues>();
  return (
    <div className="grid grid-cols-[88px_96px_minmax(0,1fr)_minmax(0,1fr)] gap-4">
      <Field label="Method" fault={faultOf(error, "method")}>
        {(control) => <FormSelect<ServiceValues> {...control} name="method" options={METHODS} />}
      </Field>
      <Field label="Status" fault={faultOf(error, "status")}>
        {(control) => <TextInput {...control} inputMode="numeric" placeholder="2xx" {...register("status")} />}
      </Field>
      <Field label="Answer contains" optional fault={faultOf(error, "contains")}>
        {(control) => <TextInput {...control} {...register("contains")} />}
      </Field>
      <Field label="Key header" optional fault={faultOf(error, "key_header")}>
        {(control) => <TextInput {...control} mono placeholder="authorization" {...register("keyHeader")} />}
      </Field>
    </div>
  );
}

function modesOf(kind: ServiceKind, hasKey: boolean): Option<KeyMode>[] {
  return [
    ...(hasKey ? [{ value: "keep", label: "Keep key" } as const] : []),
    ...(kind === "github" ? [] : [{ value: "none", label: "No key" } as const]),
    { value: "new", label: "New key" },
    { value: "stored", label: "Stored key" },
  ];
}

function valuesOf(service: ServiceView | null): ServiceValues {
  const expects = service?.expects;
  return {
    id: service?.id ?? "",
    label: service?.label ?? "",
    kind: service?.kind ?? "http",
    address: service?.address ?? "",
    stored: "",
    required: service?.required ?? false,
    privateNetwork: service?.private_network ?? false,
    method: expects?.method ?? "GET",
    status: expects?.status?.toString() ?? "",
    contains: expects?.contains ?? "",
    keyHeader: expects?.key_header ?? "",
    scopes: expects?.scopes.join(", ") ?? "",
  };
}

/** Only what the kind has a use for: fields that were filled for another kind stay in the form. */
function setOf(values: ServiceValues, key: ServiceKey, enabled: boolean): ServiceSet {
  const isHttp = values.kind === "http";
  const status = values.status.trim();
  return {
    id: values.id.trim(),
    label: values.label.trim(),
    kind: values.kind,
    address: values.address.trim(),
    key,
    required: values.required,
    enabled,
    private_network: values.privateNetwork,
    expects: {
      method: isHttp ? values.method : "GET",
      // The core refuses 0 at the field; JSON has no "not a number".
      status: isHttp && status !== "" ? Number(status) || 0 : null,
      contains: isHttp ? values.contains : "",
      key_header: isHttp ? values.keyHeader : "",
      scopes: values.kind === "github" ? splitNames(values.scopes) : [],
    },
  };
}

/** The service as it is, for a change of one thing. */
export function requestOf({
  id,
  label,
  kind,
  address,
  required,
  enabled,
  private_network,
  expects,
}: ServiceView): ServiceSet {
  return { id, label, kind, address, key: { kind: "keep" }, required, enabled, private_network, expects };
}

function keyOf(mode: KeyMode, values: ServiceValues, field: HTMLInputElement | null): ServiceKey {
  switch (mode) {
    case "keep":
    case "none":
      return { kind: mode };
    case "stored":
      return { kind: "stored", id: values.stored };
    case "new":
      return { kind: "new", secret: field?.value.trim() ?? "" };
  }
}

function splitNames(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
