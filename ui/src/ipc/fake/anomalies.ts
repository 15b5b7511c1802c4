import type { RequestView, UsageAnomaliesQuery, UsageAnomaliesView, UsageAnomalyView } from "@/ipc/bindings";
import { segmentOf, startOfDay } from "@/ipc/fake/traffic";
import { DAY_MS, HOUR_MS } from "@/lib/time";

const dollars = (amount: number) => `$${(amount / 1_000_000_000).toFixed(2)}`;

const hourOf = ({ started_at }: RequestView) => started_at - (started_at % HOUR_MS);

/** Shows the dearest hour as unusual; the core compares it with the same hours of the weeks before. */
function costOf(requests: RequestView[], from: number, now: number): UsageAnomalyView[] {
  const hours = [...new Set(requests.map(hourOf))]
    .filter((start) => start >= from && start < now)
    .map((start) => ({ start, sums: segmentOf(requests.filter((request) => hourOf(request) === start)) }))
    .toSorted((left, right) => right.sums.cost_nano_usd - left.sums.cost_nano_usd);
  const [first, median] = [hours[0], hours[Math.floor(hours.length / 2)]];
  if (first === undefined || median === undefined) return [];
  const { start, sums } = first;
  const [actual, expected] = [sums.cost_nano_usd, median.sums.cost_nano_usd];
  const excess = actual - expected;
  const volume = Math.round(excess * 0.7);
  const mix = Math.round(excess * 0.2);
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" }).format(start);
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const span = `on ${day} from ${clock.format(start)} to ${clock.format(start + HOUR_MS)}`;
  return [
    {
      id: `cost@${new Date(start).toISOString()}`,
      rule: "cost",
      start,
      end: start + HOUR_MS,
      finding: `${dollars(actual)} ${span}, usually ${dollars(expected)}`,
      actual,
      expected,
      unit: "nano_usd",
      robust_z: 5.2,
      subject: null,
      split: { volume_nano_usd: volume, mix_nano_usd: mix, price_nano_usd: excess - volume - mix },
      contributors: [
        { dimension: "client", key: "claude-code", label: "claude-code", excess_nano_usd: Math.round(excess * 0.9) },
        { dimension: "credential", key: "openai", label: "openai", excess_nano_usd: Math.round(excess * 0.8) },
        { dimension: "project", key: "website", label: "website", excess_nano_usd: Math.round(excess * 0.6) },
      ],
    },
  ];
}

export function anomaliesOf(
  requests: RequestView[],
  { zone, days }: UsageAnomaliesQuery,
  now: number,
  fine: ReadonlySet<string>,
): UsageAnomaliesView {
  const from = startOfDay(now, zone) - (days - 1) * DAY_MS;
  const found = costOf(requests, from, now);
  const anomalies = found.filter(({ id }) => !fine.has(id));
  const period = days === 1 ? "today" : `in the last ${days} days`;
  return {
    from,
    to: now,
    finding: anomalies.length === 0 ? `Nothing unusual ${period}` : `${anomalies.length} unusual thing ${period}`,
    anomalies,
    dismissed: found.filter(({ id }) => fine.has(id)),
    learning: false,
    unavailable_rules: [
      "Repeated prompts that the runaway guard does not stop are not looked for: hashes of prompts are not recorded.",
      "Growing conversations are not looked for: requests are not recorded by conversation.",
    ],
  };
}
