/** Names and units of the numeric settings. Ranges and defaults come from the core. */
import type { RangeView, SettingsRanges } from "@/ipc/bindings";
import { formatBytes, formatCount } from "@/lib/quantity";

export type NumberKey = keyof SettingsRanges;

export interface NumberSetting {
  key: NumberKey;
  label: string;
  detail: string;
  unit: string;
  /** Core units per displayed unit: 1000 for milliseconds shown as seconds. */
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
        detail: "The gateway listens on this port.",
        unit: "",
        scale: 1,
      },
      {
        key: "in_flight_max",
        label: "Concurrent requests",
        detail: "Further requests wait or are refused.",
        unit: "requests",
        scale: 1,
      },
      {
        key: "body_bytes_max",
        label: "Maximum request size",
        detail: "Larger bodies are refused before they are read.",
        unit: "MiB",
        scale: MIB,
      },
    ],
  },
  {
    id: "timeouts",
    title: "Timeouts",
    settings: [
      {
        key: "connect_timeout_ms",
        label: "Connect",
        detail: "Time to connect to a backend.",
        unit: "s",
        scale: 1_000,
      },
      {
        key: "first_token_timeout_ms",
        label: "First token",
        detail: "Reasoning models can take long to start.",
        unit: "s",
        scale: 1_000,
      },
      {
        key: "stall_timeout_ms",
        label: "Stream stall",
        detail: "A stream that is silent for longer is ended.",
        unit: "s",
        scale: 1_000,
      },
      {
        key: "total_timeout_ms",
        label: "Total",
        detail: "From the request's first byte to the response's last.",
        unit: "s",
        scale: 1_000,
      },
    ],
  },
  {
    id: "probes",
    title: "Probes and retention",
    settings: [
      {
        key: "health_interval_secs",
        label: "Probe interval",
        detail: "Probes are free.",
        unit: "s",
        scale: 1,
      },
      {
        key: "retention_days",
        label: "Keep requests",
        detail: "Totals are kept longer.",
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
        label: "Expire after",
        detail: "Providers update models, so cached responses expire.",
        unit: "s",
        scale: 1,
      },
      {
        key: "cache_memory_bytes_max",
        label: "Memory limit",
        detail: "The least used responses are evicted.",
        unit: "MiB",
        scale: MIB,
      },
      {
        key: "cache_disk_bytes_max",
        label: "Disk limit",
        detail: "On-disk (compressed) size.",
        unit: "MiB",
        scale: MIB,
      },
      {
        key: "cache_entry_bytes_max",
        label: "Maximum response size",
        detail: "Larger responses are not cached.",
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
  // A port is an identifier, so it has no digit separators.
  const spell = setting.key === "gateway_port" ? String : formatCount;
  return `${min < setting.scale ? min / setting.scale : spell(min / setting.scale)} to ${spell(max / setting.scale)}${unit}`;
}

export function labelOf(key: string): string {
  const known = SECTIONS.flatMap((section) => section.settings).find((setting) => setting.key === key);
  return (
    known?.label ??
    {
      notifications_enabled: "Desktop notifications",
      theme: "Theme",
      vault_kind: "Key storage",
      cache_enabled: "Response cache",
      cache_disk: "Disk cache",
      cache_redis_url: "Shared cache",
      cache_redis_credential: "Shared cache password",
      resilience: "Resilience",
    }[key] ??
    key
  );
}

/** The value as displayed: scaled, without trailing zeros. */
export function shown(setting: NumberSetting, value: number): string {
  return String(Math.round((value / setting.scale) * 1_000) / 1_000);
}

/** The value in the core's unit; NaN for text that is not a number, which the form rejects. */
export function counted(setting: NumberSetting, text: string): number {
  return text.trim() === "" ? Number.NaN : Math.round(Number(text) * setting.scale);
}
