/** Pinned figures in words. */
import type { PinMeasure, PinRange, PinUnit } from "@/ipc/bindings";
import { formatMoneyFine } from "@/lib/money";
import { formatCount, formatCountShort, formatDuration } from "@/lib/quantity";
import { formatPercent } from "@/lib/percent";

export const PINS_MAX = 4;

export const PIN_MEASURES = [
  { value: "cost", label: "Cost" },
  { value: "cost_per_request", label: "Cost per request" },
  { value: "requests", label: "Requests" },
  { value: "success_rate", label: "Success rate" },
  { value: "tokens", label: "Tokens" },
  { value: "first_token_p95", label: "First token, 95 %" },
] as const satisfies { value: PinMeasure; label: string }[];

export const PIN_RANGES = [
  { value: "today", label: "Today" },
  { value: "last_week", label: "7 days" },
  { value: "last_month", label: "30 days" },
] as const satisfies { value: PinRange; label: string }[];

/** Money is on the Costs screen, the rest on Activity. */
export function pinScreen(measure: PinMeasure): "/usage" | "/activity" {
  return measure === "cost" || measure === "cost_per_request" ? "/usage" : "/activity";
}

const UNITS: Record<PinUnit, (value: number) => string> = {
  nano_usd: formatMoneyFine,
  requests: formatCount,
  percent: formatPercent,
  tokens: formatCountShort,
  ms: formatDuration,
};

export function formatPin(unit: PinUnit, value: number | null): string {
  return value === null ? "unknown" : UNITS[unit](value);
}
