/** When a breaker trips and how often a request is retried: a preset, or each threshold. */
import { useState } from "react";
import { useSettingsChange } from "@/features/settings/desktop-parts";
import {
  changedNumbers,
  numberLabel,
  numberRange,
  numbersOf,
  readNumbers,
  type TypedNumbers,
} from "@/features/settings/resilience-numbers";
import { NumberRow } from "@/features/settings/number-row";
import { SettingRow } from "@/features/settings/setting-row";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { DiscardAndSave } from "@/components/form/discard-and-save";
import { Card } from "@/components/layout/card";
import { Choice } from "@/components/form/choice";
import { ErrorNotice } from "@/components/notice/error-notice";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { SettingsView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { matchesFilter } from "@/lib/filter";
import { RESILIENCE_PRESETS } from "@/lib/form-tables";
import { formatCount, formatCounted } from "@/lib/quantity";

export function ResiliencePart({ settings, filter }: { settings: SettingsView; filter: string }) {
  const change = useSettingsChange(settings);
  const { values, defaults } = settings;
  const { preset } = values.resilience;
  return (
    <Card title="Resilience" flush>
      <SettingRow
        label="When a backend fails"
        detail={RESILIENCE_PRESETS.find(({ value }) => value === preset)?.note}
        changed={preset !== defaults.resilience.preset}
      >
        <Choice
          label="When a backend fails"
          options={RESILIENCE_PRESETS}
          value={preset}
          onChange={(next) => change({ resilience: { ...values.resilience, preset: next } })}
        />
      </SettingRow>
      <Numbers settings={settings} filter={filter} />
    </Card>
  );
}

/** Edited together and saved as a custom set, whatever the preset was. */
function Numbers({ settings, filter }: { settings: SettingsView; filter: string }) {
  const [typed, setTyped] = useState<TypedNumbers>({});
  const { fields } = settings.resilience;
  const inForce = numbersOf(settings, settings.values.resilience.preset);
  const save = useAction("settingsEdit", (call, texts: TypedNumbers) => {
    const resilience = readNumbers(fields, texts, inForce);
    return "code" in resilience ? Promise.reject(resilience) : call({ ...settings.values, resilience });
  });
  const found = fields.filter(({ name, meaning }) => matchesFilter(filter, [numberLabel(name), name, meaning]));
  const dirty = changedNumbers(typed, inForce).length;
  const changed = fields.filter(({ name, default: standard }) => inForce[name] !== standard).length;
  const names = fields.map(({ name }) => name);
  return (
    <details open={filter !== "" && found.length > 0} className="group border-b border-line last:border-b-0">
      <DisclosureSummary className="h-10 px-4 font-medium">
        All thresholds
        {changed > 0 && (
          <span className="text-11 font-normal text-accent">{formatCount(changed)} changed from default</span>
        )}
      </DisclosureSummary>
      <form
        noValidate
        aria-label="Thresholds"
        className="border-t border-line"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(typed, {
            onSuccess: () => {
              setTyped({});
              notify({ title: "Settings saved", detail: "Resilience is now set to Custom." });
            },
          });
        }}
      >
        {(found.length > 0 ? found : fields).map((field) => (
          <NumberRow
            key={field.name}
            label={numberLabel(field.name)}
            detail={`${field.meaning} ${numberRange(field)}`}
            standard={String(field.default)}
            standardShown={formatCount(field.default)}
            unit={field.unit}
            inputMode="numeric"
            text={typed[field.name] ?? String(inForce[field.name])}
            fault={faultOf(save.error, field.name)}
            disabled={!settings.valid}
            onType={(text) => setTyped((before) => ({ ...before, [field.name]: text }))}
          />
        ))}
        <ErrorNotice error={faultElsewhere(save.error, names)} />
        {dirty > 0 && (
          <div className="flex items-center gap-2 p-3">
            <span role="status" className="flex-1">
              {formatCounted(dirty, "unsaved change", "unsaved changes")}
            </span>
            <DiscardAndSave
              onDiscard={() => {
                setTyped({});
                save.reset();
              }}
              saving={save.isPending}
              label="Save as custom"
            />
          </div>
        )}
      </form>
    </details>
  );
}
