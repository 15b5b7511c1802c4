/** The numeric settings: names and units. Ranges and defaults are the core's. */
import type { RangeView, SettingsRanges } from "@/ipc/bindings";
import { formatBytes, formatCount } from "@/lib/quantity";

export type NumberKey = keyof SettingsRanges;

export interface NumberSetting {
  key: NumberKey;
  label: string;
  detail: string;
  unit: string;
  /** How many of the core's units one of the shown units is: 1000 for milliseconds shown as seconds. */
  scale: number;
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
      },
      {
        key: "in_flight_max",
        label: "Requests at once",
        detail: "More than this many wait or are refused.",
        unit: "requests",
        scale: 1,
      },
      {
        key: "body_bytes_max",
        label: "Largest request",
        detail: "A larger body is refused before it is read.",
        unit: "MiB",
        scale: MIB,
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
      },
      {
        key: "first_token_timeout_ms",
        label: "To the first token",
        detail: "Thinking models can be silent for long.",
        unit: "s",
        scale: 1_000,
      },
      {
        key: "stall_timeout_ms",
        label: "Silence in a stream",
        detail: "A stream that is silent for longer is ended.",
        unit: "s",
        scale: 1_000,
      },
      {
        key: "total_timeout_ms",
        label: "Whole answer",
        detail: "From the first byte in to the last byte out.",
        unit: "s",
        scale: 1_000,
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
      },
      {
        key: "retention_days",
        label: "Keep single requests",
        detail: "Sums are kept longer.",
        unit: "days",
        scale: 1,
      },
    ],
  },
  {
    id: "cache",
    title: "Cache",
    settings: [
      {
        key: "cache_ttl_secs",
        label: "Serve an answer for",
        detail: "Models change under their name, so no answer is for ever.",
        unit: "s",
        scale: 1,
      },
      {
        key: "cache_memory_bytes_max",
        label: "In memory",
        detail: "What was used longest ago makes room.",
        unit: "MiB",
        scale: MIB,
      },
      {
        key: "cache_disk_bytes_max",
        label: "On the disk",
        detail: "Of answers as they lie there.",
        unit: "MiB",
        scale: MIB,
      },
      {
        key: "cache_entry_bytes_max",
        label: "Largest answer",
        detail: "A larger one is not kept.",
        unit: "MiB",
        scale: MIB,
      },
    ],
  },
];

/** `1 KiB to 64 MiB`, `0.1 to 60 s`. */
export function rangeText(setting: NumberSetting, { min, max }: RangeView): string {
  if (setting.scale === MIB) return `${formatBytes(min)} to ${formatBytes(max)}`;
  const unit = setting.unit === "" ? "" : ` ${setting.unit}`;
  // A port is a name made of digits: it takes no separators.
  const spell = setting.key === "gateway_port" ? String : formatCount;
  return `${min < setting.scale ? min / setting.scale : spell(min / setting.scale)} to ${spell(max / setting.scale)}${unit}`;
}

export function labelOf(key: string): string {
  const known = SECTIONS.flatMap((section) => section.settings).find((setting) => setting.key === key);
  return (
    known?.label ??
    {
      notifications_enabled: "Desktop notifications",
      theme: "Colours",
      vault_kind: "Where keys are kept",
      cache_enabled: "Keep answers",
      cache_disk: "Answers on the disk",
      cache_redis_url: "Shared cache",
      cache_redis_credential: "Password of the shared cache",
      resilience: "Resilience",
    }[key] ??
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
