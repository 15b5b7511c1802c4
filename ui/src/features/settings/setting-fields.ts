/** The settings of the form by card. Names, meanings, ranges and defaults come from the core's table. */
import type { SettingsValues } from "@/ipc/bindings";
import { formatBinaryBytes, formatCount } from "@/lib/quantity";
import { SETTINGS, type SettingField } from "@/lib/form-tables";

export type SettingValue = SettingsValues[SettingField["key"]];

export interface Section {
  title: string;
  settings: SettingField[];
}

/** Settings with a part of their own on the screen. */
const OWN_PARTS = new Set([
  "theme",
  "vault_kind",
  "notifications_enabled",
  "cache_redis_url",
  "cache_redis_credential",
  "mcp_checks",
  "mcp_spend",
  "mcp_change",
  "mcp_http",
]);

/** What becomes of the alerts of a rule is set where the rules are. */
function isAlertRule({ key, kind }: SettingField): boolean {
  return key.startsWith("alerts_") && kind === "word";
}

/** Cards whose first setting has a part of its own with the same title. */
const TITLES: Record<string, string> = { Notifications: "Quiet hours" };

const MIB = 1024 * 1024;

export const SECTIONS: Section[] = sections();

function sections(): Section[] {
  const byCard = new Map<string, SettingField[]>();
  for (const setting of SETTINGS) {
    if (setting.card === null || OWN_PARTS.has(setting.key) || isAlertRule(setting)) continue;
    const title = TITLES[setting.card] ?? setting.card;
    byCard.set(title, [...(byCard.get(title) ?? []), setting]);
  }
  return [...byCard].map(([title, settings]) => ({ title, settings }));
}

/** The displayed unit, and the core's units in one of it: 1000 for milliseconds shown as seconds. */
export function displayUnit({ unit }: SettingField): { unit: string; scale: number } {
  if (unit === "bytes") return { unit: "MiB", scale: MIB };
  return unit === "ms" ? { unit: "s", scale: 1_000 } : { unit, scale: 1 };
}

/** Words that are not only written with a capital letter. */
const WORDS: Record<string, string> = { ntfy: "ntfy", starttls: "STARTTLS", tls: "TLS" };

/** A word of a setting as people write it: `Slack`, `STARTTLS`. */
export function wordLabel(word: string): string {
  return WORDS[word] ?? `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}

/** `1 KiB to 64 MiB`, `0.1 to 60 s`. */
export function rangeText(setting: SettingField): string {
  const { min, max } = setting;
  const { unit, scale } = displayUnit(setting);
  if (scale === MIB) return `${formatBinaryBytes(min)} to ${formatBinaryBytes(max)}`;
  // A port is an identifier, so it has no digit separators.
  const spell = setting.key === "gateway_port" ? String : formatCount;
  return `${min < scale ? min / scale : spell(min / scale)} to ${spell(max / scale)}${unit === "" ? "" : ` ${unit}`}`;
}

export function labelOf(key: string): string {
  if (key === "cache_disk") return "Disk cache";
  if (key === "resilience") return "Resilience";
  return SETTINGS.find((setting) => setting.key === key)?.label ?? key;
}

/** The value as displayed: numbers are scaled, without trailing zeros. */
export function shown(setting: SettingField, value: SettingValue | SettingField["default"]): string {
  if (value === null) return "";
  if (setting.kind !== "number") return String(value);
  return String(Math.round((Number(value) / displayUnit(setting).scale) * 1_000) / 1_000);
}

/** The value in the core's unit; NaN for text that is not a number, which the form rejects. */
export function typedValue(setting: SettingField, text: string): string | number | null {
  if (text.trim() === "" && setting.default === null) return null;
  if (setting.kind !== "number") return text;
  return text.trim() === "" ? Number.NaN : Math.round(Number(text) * displayUnit(setting).scale);
}
