/**
 * The numeric settings, edited together and saved together. Holds only what was typed, on top of the current values.
 * Typed text stays until it is saved or discarded, even if the settings are reloaded meanwhile, and a value that is
 * displayed rounded is not saved rounded. The field named by the core's error shows that error.
 */
import { useState } from "react";
import { CacheSwitches } from "@/features/settings/cache-part";
import { NumberRow } from "@/features/settings/number-row";
import { counted, rangeText, SECTIONS, shown, type NumberKey } from "@/features/settings/setting-fields";
import { DiscardAndSave } from "@/components/discard-and-save";
import { Card } from "@/components/card";
import { ErrorNotice } from "@/components/error-notice";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { ApiError, SettingsRanges, SettingsValues, SettingsView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { matchesFilter } from "@/lib/filter";
import { formatCounted } from "@/lib/quantity";

type Typed = Partial<Record<NumberKey, string>>;

const NUMBERS = SECTIONS.flatMap((section) => section.settings);
const KEYS = NUMBERS.map((setting) => setting.key);

function merged(values: SettingsValues, typed: Typed): SettingsValues {
  const next = { ...values };
  for (const setting of NUMBERS) {
    const text = typed[setting.key];
    if (text !== undefined) next[setting.key] = counted(setting, text);
  }
  return next;
}

/** Reports an out-of-range number in the form's unit, before the core would report it in its own. */
function wrongNumber(values: SettingsValues, ranges: SettingsRanges): ApiError | null {
  for (const setting of NUMBERS) {
    const value = values[setting.key];
    const range = ranges[setting.key];
    if (value >= range.min && value <= range.max) continue;
    const message = Number.isNaN(value) ? "Enter a number." : `Enter ${rangeText(setting, range)}.`;
    return { code: "invalid_input", message, hint: null, field: setting.key };
  }
  return null;
}

export function SettingsForm({ settings, filter }: { settings: SettingsView; filter: string }) {
  const [typed, setTyped] = useState<Typed>({});
  const save = useAction("settingsEdit", (call, values: SettingsValues) => {
    const wrong = wrongNumber(values, settings.ranges);
    return wrong ? Promise.reject(wrong) : call(values);
  });
  const dirty = NUMBERS.filter((setting) => {
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
          matchesFilter(filter, [section.title, setting.label, setting.detail, setting.key]),
        );
        if (found.length === 0) return null;
        return (
          <Card key={section.id} title={section.title} flush>
            {section.id === "cache" && <CacheSwitches settings={settings} />}
            {found.map((setting) => (
              <NumberRow
                key={setting.key}
                label={setting.label}
                detail={`${setting.detail} ${rangeText(setting, settings.ranges[setting.key])}`}
                standard={shown(setting, settings.defaults[setting.key])}
                unit={setting.unit}
                inputMode="decimal"
                disabled={!settings.valid}
                text={typed[setting.key] ?? shown(setting, settings.values[setting.key])}
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
