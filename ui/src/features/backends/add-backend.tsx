/** Adding a backend in three steps: the provider, its details and key, and a test. */
import { ArrowLeft } from "lucide-react";
import { useRef, useState, type RefObject } from "react";
import { FormProvider, useForm, useWatch } from "react-hook-form";
import { differingOf } from "@/features/backends/dialects";
import { Advanced, KindAndAddress, type KindValues } from "@/features/backends/kind-fields";
import { PresetChooser } from "@/features/backends/preset-chooser";
import { TestSteps, useBackendTest } from "@/features/backends/test-steps";
import { parseModels } from "@/features/backends/edit-backend";
import { Button } from "@/components/button/button";
import { Choice } from "@/components/form/choice";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { SecretField } from "@/components/form/secret-field";
import { StoredKeyField } from "@/components/form/stored-key-field";
import { useAction } from "@/ipc/actions";
import type { ApiError, BackendAdd, BackendKey, BackendPresetView } from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { useKeys, usePresets } from "@/ipc/queries";
import { faultElsewhere, faultOf } from "@/lib/fault";

interface AddBackendDialogProps {
  open: boolean;
  onClose: () => void;
  onOpen: (id: string) => void;
}

type Stage =
  | { kind: "choosing" }
  | { kind: "filling"; preset: BackendPresetView | null }
  | { kind: "added"; id: string; label: string };

export function AddBackendDialog({ open, onClose, onOpen }: AddBackendDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title="Add backend" width="wide" steady>
      <Stages onClose={onClose} onOpen={onOpen} />
    </Dialog>
  );
}

function Stages({ onClose, onOpen }: Omit<AddBackendDialogProps, "open">) {
  const [stage, setStage] = useState<Stage>({ kind: "choosing" });
  const test = useBackendTest();
  const added = (id: string, label: string) => {
    setStage({ kind: "added", id, label });
    test.mutate(id);
  };
  switch (stage.kind) {
    case "choosing":
      return <PresetChooser onChoose={(preset) => setStage({ kind: "filling", preset })} />;
    case "filling":
      return <FillIn preset={stage.preset} onBack={() => setStage({ kind: "choosing" })} onAdded={added} />;
    case "added":
      return <Added id={stage.id} label={stage.label} test={test} onClose={onClose} onOpen={onOpen} />;
  }
}

type KeyMode = BackendKey["kind"];

interface FillValues extends KindValues {
  id: string;
  label: string;
  stored: string;
  models: string;
}

const FIELDS = ["id", "label", "kind", "base_url", "secret", "models"] as const;
const KEY_MODES = [
  { value: "new", label: "New key" },
  { value: "stored", label: "Stored key" },
  { value: "none", label: "No key" },
] as const;

/** For a known provider only the key is missing. */
function focusField(body: HTMLElement | null): void {
  const fields = [...(body?.querySelectorAll<HTMLInputElement>("input:not([type=checkbox], [type=radio])") ?? [])];
  (fields.find((field) => field.type === "password" && fields[0]?.value !== "") ?? fields[0])?.focus();
}

function valuesOf(preset: BackendPresetView | null): FillValues {
  return {
    id: preset?.id ?? "",
    label: preset?.label ?? "",
    kind: preset?.kind ?? "openai-compatible",
    base_url: preset?.base_url ?? "",
    lacks: preset?.lacks ?? [],
    offers: preset?.offers ?? [],
    crossing: "strict",
    stored: "",
    models: "",
  };
}

interface FillInProps {
  preset: BackendPresetView | null;
  onBack: () => void;
  onAdded: (id: string, label: string) => void;
}

function FillIn({ preset, onBack, onAdded }: FillInProps) {
  const secret = useRef<HTMLInputElement>(null);
  const [mode, setMode] = useState<KeyMode>(preset?.local === true ? "none" : "new");
  const form = useForm<FillValues>({ defaultValues: valuesOf(preset) });
  const id = useWatch({ control: form.control, name: "id" });
  const add = useAction("backendAdd", (call, values: FillValues) =>
    call(requestOf(values, keyOf(mode, values, secret.current))),
  );
  const send = (values: FillValues) =>
    add.mutate(values, {
      onSuccess: (backend) => {
        if (secret.current) secret.current.value = "";
        onAdded(backend.id, backend.label);
      },
    });
  return (
    <FormProvider {...form}>
      <form
        noValidate
        onSubmit={(event) => void form.handleSubmit(send)(event)}
        className="flex min-h-0 flex-1 flex-col"
      >
        <DialogBody ref={focusField} className="flex flex-col gap-4">
          <div className="grid grid-cols-2 gap-4">
            <Field label="ID" help={`Clients request ${id === "" ? "id" : id}/model.`} fault={faultOf(add.error, "id")}>
              {(control) => <TextInput {...control} mono {...form.register("id")} />}
            </Field>
            <Field label="Display name" optional fault={faultOf(add.error, "label")}>
              {(control) => <TextInput {...control} {...form.register("label")} />}
            </Field>
          </div>
          <div className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] gap-4">
            <KindAndAddress error={add.error} />
          </div>
          <KeySource preset={preset} mode={mode} onMode={setMode} secret={secret} error={add.error} />
          <Field
            label="Models"
            optional
            help="Separate with commas. Leave empty to fetch the list."
            fault={faultOf(add.error, "models")}
          >
            {(control) => <TextInput {...control} mono {...form.register("models")} />}
          </Field>
          <Advanced />
          <ErrorNotice error={faultElsewhere(add.error, FIELDS)} />
        </DialogBody>
        <DialogFoot>
          <Button look="quiet" icon={ArrowLeft} className="mr-auto -ml-3" onClick={onBack}>
            Back
          </Button>
          <Button type="submit" look="primary" busy={add.isPending}>
            Add and test
          </Button>
        </DialogFoot>
      </form>
    </FormProvider>
  );
}

interface KeySourceProps {
  preset: BackendPresetView | null;
  mode: KeyMode;
  onMode: (mode: KeyMode) => void;
  secret: RefObject<HTMLInputElement | null>;
  error: ApiError | null;
}

function KeySource({ preset, mode, onMode, secret, error }: KeySourceProps) {
  const host = useHost();
  const presets = usePresets().data ?? [];
  const keys = useKeys().data ?? [];
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-1.5 flex w-full items-center justify-between text-12 font-medium">
        Key
        {preset !== null && !preset.local && (
          <button
            type="button"
            className="rounded-mark font-normal text-accent hover:underline"
            onClick={() => void host.openUrl(preset.keys_url ?? preset.docs_url)}
          >
            Get a key from {preset.label}
          </button>
        )}
      </legend>
      <div>
        <Choice label="Key source" options={KEY_MODES} value={mode} onChange={onMode} />
      </div>
      {mode === "new" && (
        <SecretField label="API key" ref={secret} presets={presets} fault={faultOf(error, "secret")} />
      )}
      {mode === "stored" && <StoredKeyField keys={keys} />}
    </fieldset>
  );
}

function requestOf(values: FillValues, key: BackendKey): BackendAdd {
  return {
    id: values.id.trim(),
    label: values.label.trim(),
    kind: values.kind,
    base_url: values.base_url.trim(),
    key,
    models: parseModels(values.models),
    ...differingOf(values.kind, values),
  };
}

function keyOf(mode: KeyMode, values: FillValues, field: HTMLInputElement | null): BackendKey {
  switch (mode) {
    case "none":
      return { kind: "none" };
    case "stored":
      return { kind: "stored", id: values.stored };
    case "new":
      return { kind: "new", secret: field?.value.trim() ?? "" };
  }
}

interface AddedProps {
  id: string;
  label: string;
  test: ReturnType<typeof useBackendTest>;
  onClose: () => void;
  onOpen: (id: string) => void;
}

function Added({ id, label, test, onClose, onOpen }: AddedProps) {
  return (
    <>
      <DialogBody className="flex flex-col gap-3">
        <p className="text-ink-1">
          <strong className="font-semibold">{label}</strong> was added. Test results:
        </p>
        <ErrorNotice error={test.error} />
        <TestSteps result={test.data} running={test.isPending} />
      </DialogBody>
      <DialogFoot>
        <Button busy={test.isPending} onClick={() => test.mutate(id)}>
          {test.data ? "Test again" : "Test"}
        </Button>
        <Button look="plain" onClick={() => onOpen(id)}>
          Open backend
        </Button>
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </DialogFoot>
    </>
  );
}
