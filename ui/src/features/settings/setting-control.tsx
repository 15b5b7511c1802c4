/** The row of one setting: a switch or a choice takes effect at once, a number or a text is typed and saved. */
import { useSettingsChange } from "@/features/settings/desktop-parts";
import { NumberRow } from "@/features/settings/number-row";
import { displayUnit, rangeText, shown, wordLabel } from "@/features/settings/setting-fields";
import { SettingRow } from "@/features/settings/setting-row";
import { Choice } from "@/components/form/choice";
import { Switch } from "@/components/form/switch";
import type { SettingsView } from "@/ipc/bindings";
import type { SettingField } from "@/lib/form-tables";

interface SettingControlProps {
  setting: SettingField;
  settings: SettingsView;
  /** What is typed, if anything. */
  typed: string | undefined;
  fault: string | null;
  onType: (text: string) => void;
}

export function SettingControl({ setting, settings, typed, fault, onType }: SettingControlProps) {
  const change = useSettingsChange(settings);
  const { key, kind, label, meaning } = setting;
  const value = settings.values[key];
  if (kind === "switch")
    return (
      <SettingRow
        label={label}
        detail={`${meaning} Default: ${setting.default === true ? "on" : "off"}.`}
        changed={value !== setting.default}
      >
        <Switch
          label={label}
          checked={value === true}
          disabled={!settings.valid}
          onChange={(checked) => change({ [key]: checked })}
        />
      </SettingRow>
    );
  if (kind === "word")
    return (
      <SettingRow
        label={label}
        detail={`${meaning} Default: ${wordLabel(String(setting.default))}.`}
        changed={value !== setting.default}
      >
        <Choice
          label={label}
          options={setting.words.map((word) => ({ value: word, label: wordLabel(word) }))}
          value={String(value)}
          onChange={(word) => change({ [key]: word })}
        />
      </SettingRow>
    );
  return (
    <NumberRow
      label={label}
      detail={kind === "number" ? `${meaning} ${rangeText(setting)}` : meaning.replace(/\.$/, "")}
      standard={shown(setting, setting.default)}
      standardShown={setting.default === null ? "none" : shown(setting, setting.default)}
      unit={displayUnit(setting).unit}
      inputMode={kind === "number" ? "decimal" : "text"}
      disabled={!settings.valid}
      text={typed ?? shown(setting, value)}
      fault={fault}
      onType={onType}
    />
  );
}
