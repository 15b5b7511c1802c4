/**
 * The numbers and texts, edited together and saved together. Holds only what was typed, on top of the current values.
 * Typed text stays until it is saved or discarded, even if the settings are reloaded meanwhile, and a value that is
 * displayed rounded is not saved rounded. The field named by the core's error shows that error.
 */
import { useState } from "react";
import { SettingControl } from "@/features/settings/setting-control";
import { rangeText, SECTIONS, shown, typedValue } from "@/features/settings/setting-fields";
import { DiscardAndSave } from "@/components/form/discard-and-save";
import { Card } from "@/components/layout/card";
import { ErrorNotice } from "@/components/notice/error-notice";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ApiError, SettingsValues, SettingsView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { matchesFilter } from "@/lib/filter";
import { formatCounted } from "@/lib/quantity";
import type { SettingField } from "@/lib/form-tables";

type Typed = Partial<Record<SettingField["key"], string>>;

const FIELDS = SECTIONS.flatMap((section) => section.settings);
const KEYS = FIELDS.map((setting) => setting.key);

function merged(values: SettingsValues, typed: Typed): SettingsValues {
  const changes = FIELDS.flatMap((setting) => {
    const text = typed[setting.key];
    return text === undefined ? [] : [[setting.key, typedValue(setting, text)] as const];
  });
  return { ...values, ...Object.fromEntries(changes) };
}

/** Reports an out-of-range number in the form's unit, before the core would report it in its own. */
function wrongNumber(values: SettingsValues): ApiError | null {
  for (const setting of FIELDS) {
    const value = values[setting.key];
    if (typeof value !== "number" || (value >= setting.min && value <= setting.max)) continue;
    const message = Number.isNaN(value) ? "Enter a number." : `Enter ${rangeText(setting)}.`;
    return { code: "invalid_input", message, hint: null, field: setting.key };
  }
  return null;
}

export function SettingsForm({ settings, filter }: { settings: SettingsView; filter: string }) {
  const [typed, setTyped] = useState<Typed>({});
  const save = useAction("settingsEdit", (call, values: SettingsValues) => {
    const wrong = wrongNumber(values);
    return wrong ? Promise.reject(wrong) : call(values);
  });
  const dirty = FIELDS.filter((setting) => {
    const text = typed[setting.key];
    return text !== undefined && text !== shown(setting, settings.values[setting.key]);
  });
  const submit = () =>
    save.mutate(merged(settings.values, typed), {
      onSuccess: () => {
        setTyped({});
        notify({ title: "Settings saved" });
      },
    });
  return (
    <form
      noValidate
      aria-label="Numbers"
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {SECTIONS.map((section) => {
        const found = section.settings.filter((setting) =>
          matchesFilter(filter, [section.title, setting.label, setting.meaning, setting.key]),
        );
        if (found.length === 0) return null;
        return (
          <Card key={section.title} title={section.title} flush>
            {found.map((setting) => (
              <SettingControl
                key={setting.key}
                setting={setting}
                settings={settings}
                typed={typed[setting.key]}
                fault={faultOf(save.error, setting.key)}
                onType={(text) => setTyped((before) => ({ ...before, [setting.key]: text }))}
              />
            ))}
          </Card>
        );
      })}
      <ErrorNotice error={faultElsewhere(save.error, KEYS)} />
      {dirty.length > 0 && (
        <div className="sticky bottom-4 z-20 flex animate-rise items-center gap-2 rounded-card border border-line-strong/60 bg-surface-3 py-2 pr-2 pl-4 shadow-float">
          <span role="status" className="flex-1">
            {formatCounted(dirty.length, "unsaved change", "unsaved changes")}
          </span>
          <DiscardAndSave
            onDiscard={() => {
              setTyped({});
              save.reset();
            }}
            saving={save.isPending}
          />
        </div>
      )}
    </form>
  );
}
