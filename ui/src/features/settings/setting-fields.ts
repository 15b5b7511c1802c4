/** The numeric settings: names, units, ranges as the core documents them. The core decides; these words explain. */
import type { SettingsValues } from "@/ipc/bindings";

export type NumberKey = {
  [Key in keyof SettingsValues]: SettingsValues[Key] extends number ? Key : never;
}[keyof SettingsValues];

export interface NumberSetting {
  key: NumberKey;
  label: string;
  detail: string;
  unit: string;
  /** How many of the core's units one of the shown units is: 1000 for milliseconds shown as seconds. */
  scale: number;
  range: string;
}

export interface Section {
  id: string;
  title: string;
  settings: NumberSetting[];
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const SECTIONS: Section[] = [
  {
    id: "gateway",
    title: "Gateway",
    settings: [
      {
        key: "gateway_port",
        label: "Port",
        detail: "Where clients find the gateway on this machine.",
        unit: "",
        scale: 1,
        range: "1024 to 65535",
      },
      {
        key: "in_flight_max",
        label: "Requests at once",
        detail: "More than this many wait or are refused.",
        unit: "requests",
        scale: 1,
        range: "1 to 300",
      },
      {
        key: "body_bytes_max",
        label: "Largest request",
        detail: "A larger body is refused before it is read.",
        unit: "MiB",
        scale: MIB,
        range: "1 KiB to 64 MiB",
      },
    ],
  },
  {
    id: "patience",
    title: "Patience",
    settings: [
      {
        key: "connect_timeout_ms",
        label: "To connect",
        detail: "To reach a backend at all.",
        unit: "s",
        scale: 1_000,
        range: "",
      },
      {
        key: "first_token_timeout_ms",
        label: "To the first token",
        detail: "Thinking models can be silent for long.",
        unit: "s",
        scale: 1_000,
        range: "",
      },
      {
        key: "stall_timeout_ms",
        label: "Silence in a stream",
        detail: "A stream that is silent for longer is ended.",
        unit: "s",
        scale: 1_000,
        range: "",
      },
      {
        key: "total_timeout_ms",
        label: "Whole answer",
        detail: "From the first byte in to the last byte out.",
        unit: "s",
        scale: 1_000,
        range: "",
      },
    ],
  },
  {
    id: "watch",
    title: "Watch and memory",
    settings: [
      {
        key: "health_interval_secs",
        label: "Between light probes",
        detail: "Probes are never billed.",
        unit: "s",
        scale: 1,
        range: "",
      },
      {
        key: "retention_days",
        label: "Keep single requests",
        detail: "Sums are kept longer.",
        unit: "days",
        scale: 1,
        range: "",
      },
    ],
  },
];

export function labelOf(key: string): string {
  const known = SECTIONS.flatMap((section) => section.settings).find((setting) => setting.key === key);
  return (
    known?.label ??
    { notifications_enabled: "Desktop notifications", theme: "Colours", vault_kind: "Where keys are kept" }[key] ??
    key
  );
}

/** As the form shows it: scaled, without a tail of zeros. */
export function shown(setting: NumberSetting, value: number): string {
  return String(Math.round((value / setting.scale) * 1_000) / 1_000);
}

/** As the core counts it; NaN when it is no number, which the form refuses. */
export function counted(setting: NumberSetting, text: string): number {
  return text.trim() === "" ? Number.NaN : Math.round(Number(text) * setting.scale);
}
