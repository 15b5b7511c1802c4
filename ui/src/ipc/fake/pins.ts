/** The figures that are pinned to the fake Overview. */
import type { PinMeasure, PinSave, PinUnit, PinView, RequestView, TimeZoneChoice } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise } from "@/ipc/fake/rules";
import { isWanted, startOfDay, totalsOf } from "@/ipc/fake/traffic";
import type { Host } from "@/ipc/host";
import { PINS_MAX } from "@/lib/pins";
import { DAY_MS } from "@/lib/time";

const UNITS: Record<PinMeasure, PinUnit> = {
  cost: "nano_usd",
  cost_per_request: "nano_usd",
  requests: "requests",
  success_rate: "percent",
  tokens: "tokens",
  first_token_p95: "ms",
};
const LABELS: Record<PinMeasure, string> = {
  cost: "Cost",
  cost_per_request: "Cost per request",
  requests: "Requests",
  success_rate: "Success rate",
  tokens: "Tokens",
  first_token_p95: "First token (p95)",
};
const DAYS = { today: 1, last_week: 7, last_month: 30 };

function valueOf(requests: RequestView[], measure: PinMeasure): number | null {
  const totals = totalsOf(requests);
  const priced = totals.requests - totals.unpriced_requests;
  const firsts = requests.flatMap(({ first_token_ms: ms }) => ms ?? []).toSorted((left, right) => left - right);
  switch (measure) {
    case "cost":
      return totals.is_cost_unknown ? null : totals.cost_nano_usd;
    case "cost_per_request":
      return priced === 0 ? null : Math.round(totals.cost_nano_usd / priced);
    case "requests":
      return totals.requests;
    case "success_rate":
      return totals.requests === 0
        ? null
        : Math.round(((totals.requests - totals.failed_requests) * 1000) / totals.requests) / 10;
    case "tokens":
      return totals.input_tokens + totals.output_tokens;
    case "first_token_p95":
      return firsts[Math.floor(firsts.length * 0.95)] ?? null;
  }
}

function textOf(unit: PinUnit, value: number | null): string {
  if (value === null) return "unknown";
  if (unit === "nano_usd") return `$${(value / 1_000_000_000).toFixed(value >= 10_000_000 ? 2 : 4)}`;
  if (unit === "percent") return `${value.toFixed(1)} %`;
  return unit === "ms" ? `${Math.round(value)} ms` : value.toLocaleString("en-US");
}

function changeOf(unit: PinUnit, value: number | null, previous: number | null): number | null {
  if (value === null || previous === null) return null;
  if (unit === "percent") return Math.round((value - previous) * 10) / 10;
  return previous === 0 ? null : Math.round(((value - previous) * 100) / previous);
}

function pinOf(pin: PinSave, requests: RequestView[], zone: TimeZoneChoice, now: number): PinView {
  const { name, measure, range } = pin;
  const filter = pin.filter ?? {};
  const wanted = requests.filter((request) => isWanted(request, filter));
  const between = (from: number, to: number) =>
    valueOf(
      wanted.filter(({ started_at }) => started_at >= from && started_at < to),
      measure,
    );
  const today = startOfDay(now, zone);
  const length = DAYS[range] * DAY_MS;
  const from = today - length + DAY_MS;
  const [unit, value, previous] = [UNITS[measure], between(from, now), between(from - length, now - length)];
  const isPresent = ({ started_at: at }: RequestView) => at >= from && at < now;
  const named = Object.entries(filter).flatMap(([by, of]) => (of === null ? [] : [`${by} ${of}`]));
  const days = Math.max(DAYS[range], 7);
  const left_out = unit === "nano_usd" ? totalsOf(wanted.filter(isPresent)).unpriced_requests : 0;
  return {
    name,
    measure,
    range,
    filter,
    from,
    to: now,
    measure_label: LABELS[measure],
    scope_label: [...named, range === "today" ? "today" : `${DAYS[range]} days`].join(", "),
    unit,
    text: textOf(unit, value),
    value,
    unpriced_requests: left_out,
    previous,
    previous_label: range === "today" ? "the day before" : `the ${DAYS[range]} days before`,
    change: changeOf(unit, value, previous),
    days: Array.from({ length: days }, (_, index) => {
      const start = today - (days - 1 - index) * DAY_MS;
      const label = new Date(start).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
      return { start, label, value: between(start, start + DAY_MS) };
    }),
  };
}

const PINS: PinSave[] = [
  { name: "website", measure: "cost", range: "last_week", filter: { project: "website" } },
  { name: "success", measure: "success_rate", range: "last_month" },
];

export function fakePins({ world, answer, changed, now }: Doing): Pick<Host, "pinsList" | "pinSave" | "pinDelete"> {
  const pins: PinSave[] = world.requests.length === 0 ? [] : [...PINS];
  return {
    pinsList: (req) => answer(() => pins.map((pin) => pinOf(pin, world.requests, req.zone, now()))),
    pinSave: (req) =>
      answer(() => {
        const known = pins.findIndex((pin) => pin.name === req.name);
        if (known === -1 && pins.length >= PINS_MAX)
          raise(fault("invalid_input", `there are ${PINS_MAX} pinned figures; remove one first`, null, "name"));
        pins.splice(known === -1 ? pins.length : known, 1, req);
        changed("settings", "usage");
        return null;
      }),
    pinDelete: (req) =>
      answer(() => {
        const known = pins.findIndex((pin) => pin.name === req.name);
        if (known === -1) raise(fault("not_found", `There is no pinned figure named ${req.name}.`, null));
        pins.splice(known, 1);
        changed("settings", "usage");
        return null;
      }),
  };
}
