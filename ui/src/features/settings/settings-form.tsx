/**
 * The numbers, edited together and saved whole. What was typed stays until it is saved or discarded, also when the
 * settings are read anew meanwhile; the field the core names is marked with the core's words.
 */
import { useForm, useWatch, type Control, type UseFormRegister } from "react-hook-form";
import { useId } from "react";
import { SettingRow } from "@/features/settings/setting-row";
import { counted, SECTIONS, shown, type NumberKey, type NumberSetting } from "@/features/settings/setting-fields";
import { Button } from "@/components/button";
import { Card } from "@/components/card";
import { ErrorNotice } from "@/components/error-notice";
import { TextInput } from "@/components/field";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { ApiError, SettingsValues, SettingsView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { matchesFilter } from "@/lib/filter";
import { formatCounted } from "@/lib/quantity";

type Typed = Record<NumberKey, string>;

const NUMBERS = SECTIONS.flatMap((section) => section.settings);
const KEYS = NUMBERS.map((setting) => setting.key);

function typedOf(values: SettingsValues): Typed {
  return Object.fromEntries(NUMBERS.map((setting) => [setting.key, shown(setting, values[setting.key])])) as Typed;
}

/** Only what was typed is sent anew: a value the form shows rounded must not come back rounded. */
function merged(values: SettingsValues, typed: Typed, dirty: Partial<Record<NumberKey, boolean>>): SettingsValues {
  const next = { ...values };
  for (const setting of NUMBERS) if (dirty[setting.key] === true) next[setting.key] = counted(setting, typed[setting.key]);
  return next;
}

function notANumber(typed: Typed): ApiError | null {
  const wrong = NUMBERS.find((setting) => Number.isNaN(counted(setting, typed[setting.key])));
  return wrong ? { code: "invalid_input", message: "This is not a number.", hint: null, field: wrong.key } : null;
}

export function SettingsForm({ settings, filter }: { settings: SettingsView; filter: string }) {
  const form = useForm<Typed>({ values: typedOf(settings.values), resetOptions: { keepDirtyValues: true } });
  const save = useAction<Typed, SettingsView>(["settings", "status"], (host, typed) => {
    const unreadable = notANumber(typed);
    return unreadable ? Promise.reject(unreadable) : host.settingsEdit(merged(settings.values, typed, form.formState.dirtyFields));
  });
  const dirty = Object.keys(form.formState.dirtyFields).length;
  const submit = form.handleSubmit((typed) =>
    save.mutate(typed, {
      onSuccess: (saved) => {
        form.reset(typedOf(saved.values));
        notify({ title: "Settings saved" });
      },
    }),
  );
  return (
    <form noValidate aria-label="Numbers" onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      {SECTIONS.map((section) => {
        const found = section.settings.filter((setting) => matchesFilter(filter, [section.title, setting.label, setting.detail, setting.key]));
        if (found.length === 0) return null;
        return (
          <Card key={section.id} title={section.title} flush>
            {found.map((setting) => (
              <NumberRow key={setting.key} setting={setting} settings={settings} control={form.control} register={form.register} fault={faultOf(save.error, setting.key)} />
            ))}
          </Card>
        );
      })}
      <ErrorNotice error={faultElsewhere(save.error, KEYS)} />
      {dirty > 0 && (
        <div className="sticky bottom-4 z-20 flex animate-rise items-center gap-2 rounded-card border border-line-strong/60 bg-surface-3 py-2 pr-2 pl-4 shadow-float">
          <span role="status" className="flex-1">
            {formatCounted(dirty, "unsaved change", "unsaved changes")}
          </span>
          <Button
            onClick={() => {
              form.reset(typedOf(settings.values));
              save.reset();
            }}
          >
            Discard
          </Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            Save
          </Button>
        </div>
      )}
    </form>
  );
}

interface NumberRowProps {
  setting: NumberSetting;
  settings: SettingsView;
  control: Control<Typed>;
  register: UseFormRegister<Typed>;
  fault: string | null;
}

function NumberRow({ setting, settings, control, register, fault }: NumberRowProps) {
  const id = useId();
  const typed = useWatch({ control, name: setting.key });
  const standard = shown(setting, settings.defaults[setting.key]);
  const noteId = `${id}-note`;
  return (
    <SettingRow
      label={<label htmlFor={id}>{setting.label}</label>}
      changed={typed !== standard}
      detail={
        <span id={noteId}>
          {setting.detail} {setting.range !== "" && `${setting.range}. `}Default {standard}
          {setting.unit !== "" && ` ${setting.unit}`}.
          {fault !== null && (
            <span role="alert" className="block text-bad">
              {fault}
            </span>
          )}
        </span>
      }
    >
      <span className="flex items-center gap-2">
        <TextInput id={id} inputMode="decimal" disabled={!settings.valid} aria-describedby={noteId} aria-invalid={fault !== null || undefined} className="w-24 text-right" {...register(setting.key)} />
        <span className="w-16 text-12 text-ink-3">{setting.unit}</span>
      </span>
    </SettingRow>
  );
}
