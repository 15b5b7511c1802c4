/** What OpenAI billed in the made-up world: two weeks, of which the newest two days have no report yet. */
import type { BilledSource, BillingProvider, BillingReportView, DriftDayView, DriftView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise } from "@/ipc/fake/rules";
import type { Host } from "@/ipc/host";
import { DAY_MS } from "@/lib/time";

const LABELS: Record<BillingProvider, string> = {
  openai: "OpenAI",
  anthropic: "Anthropic",
  openrouter: "OpenRouter",
};
const DAYS = 14;
const OPEN_DAYS = 2;
const NANO = 1_000_000_000;

/** As the core judges it: more than half a percent of the bill. */
const isMarked = (difference: number | null, billed: number | null) =>
  difference !== null && Math.abs(difference) * 200 > (billed ?? 0);

const money = (nano: number) => `$${(nano / NANO).toFixed(2)}`;

const statedOf = (model: string, answers: number, compared: number, dollars: number, difference: number) => ({
  backend: "openrouter",
  model,
  answers,
  compared,
  stated_nano_usd: compared === 0 ? null : Math.round(dollars * NANO),
  computed_nano_usd: compared === 0 ? null : Math.round((dollars - difference) * NANO),
  difference_nano_usd: compared === 0 ? null : Math.round(difference * NANO),
  difference_percent: compared === 0 ? null : Math.round((difference * 1_000) / dollars) / 10,
  is_marked: isMarked(compared === 0 ? null : difference, dollars),
});

export function fakeBilling({
  world,
  now,
  answer,
  changed,
}: Doing): Pick<Host, "billingFetch" | "billingCancel" | "billingImport" | "billingDrift"> {
  const adminKey = (provider: BillingProvider) => world.keys.find((key) => key.billing === provider)?.id ?? null;

  const dayOf = (back: number): DriftDayView => {
    const at = now() - back * DAY_MS;
    const day = new Date(at).toISOString().slice(0, 10);
    const computed = Math.round((2.1 + Math.sin(back) * 0.8) * NANO);
    const unpriced = back % 5 === 0 ? 3 : 0;
    const billed = back < OPEN_DAYS ? null : computed + (unpriced > 0 ? Math.round(0.09 * NANO) : 0);
    const difference = billed === null ? null : billed - computed;
    return {
      provider: "openai",
      day,
      state: billed === null ? "not_reconciled" : "reconciled",
      computed_nano_usd: computed,
      billed_nano_usd: billed,
      difference_nano_usd: difference,
      difference_percent:
        difference === null || billed === null ? null : Math.round((difference * 1_000) / billed) / 10,
      is_marked: isMarked(difference, billed),
      requests: 140 + back * 3,
      unpriced_requests: unpriced,
      priced_percent: unpriced > 0 ? 97 : 100,
      source: billed === null ? null : "api",
      fetched: billed === null ? null : now() - DAY_MS / 4,
      reasons: [
        ...(unpriced > 0 ? [`${unpriced} requests have no price`] : []),
        ...(back === 0 ? ["the day is not over"] : []),
        ...(difference !== null && difference > 0
          ? ["billed more than Gatehouse saw; requests outside Gatehouse are not known"]
          : []),
      ],
      lines:
        billed === null
          ? []
          : [
              { line: "gpt-5.2, output", amount_nano_usd: Math.round(billed * 0.7) },
              { line: "gpt-5.2, input", amount_nano_usd: billed - Math.round(billed * 0.7) },
            ],
    };
  };

  const drift = (provider: BillingProvider | null, days: number): DriftView => {
    const has = world.requests.length > 0 && (provider === null || provider === "openai");
    const rows = has ? Array.from({ length: Math.min(days, DAYS) }, (_, back) => dayOf(back)) : [];
    const reconciled = rows.filter((row) => row.state === "reconciled");
    const sum = (pick: (row: DriftDayView) => number) => reconciled.reduce((total, row) => total + pick(row), 0);
    const computed = sum((row) => row.computed_nano_usd);
    const billed = sum((row) => row.billed_nano_usd ?? 0);
    return {
      finding:
        reconciled.length === 0
          ? "Nothing is reconciled: there is no cost report of these days."
          : `OpenAI billed ${money(billed)} and Gatehouse computed ${money(computed)} on ${reconciled.length} reconciled days.`,
      levels:
        'Marked are differences of more than 0.5 % of the bill. The alert "Bill differs" begins at 2 % of a provider\'s week and $1.00.',
      providers: has
        ? [
            {
              provider: "openai",
              label: LABELS.openai,
              key: adminKey("openai"),
              fetched: now() - DAY_MS / 4,
              reconciled_days: reconciled.length,
              open_days: rows.length - reconciled.length,
              computed_nano_usd: computed,
              billed_nano_usd: billed,
              difference_nano_usd: billed - computed,
              difference_percent: billed === 0 ? null : Math.round(((billed - computed) * 1_000) / billed) / 10,
              is_marked: isMarked(billed - computed, billed),
            },
          ]
        : [],
      days: rows,
      ...stated(provider === null || provider === "openrouter"),
    };
  };

  /** Two models of which the price list knows one. */
  const stated = (isWanted: boolean): Pick<DriftView, "stated" | "stated_finding"> => {
    if (!isWanted || world.requests.length === 0) return { stated: [], stated_finding: null };
    return {
      stated_finding: "openrouter states $4.28 and Gatehouse computes $4.06 for 348 of 402 answers (+5.1 %).",
      stated: [
        statedOf("anthropic/claude-sonnet-5", 312, 312, 3.86, 0.19),
        statedOf("openai/gpt-6-luna", 36, 36, 0.42, 0.03),
        statedOf("z-ai/glm-5.3", 54, 0, 0, 0),
      ],
    };
  };

  const report = (provider: BillingProvider, source: BilledSource, days: number): BillingReportView => {
    changed("usage");
    return {
      provider,
      source,
      days,
      lines: days * 2,
      billed_nano_usd: days * 2 * NANO,
      problems: [],
      finding: `${LABELS[provider]} billed $${days * 2}.00 on ${days} days.`,
    };
  };

  return {
    billingFetch: (req) =>
      answer(() => {
        if (adminKey(req.provider) === null)
          raise(
            fault(
              "not_found",
              `there is no admin key of ${LABELS[req.provider]} for cost reports`,
              "Add one, or import the file that the provider's console exports.",
            ),
          );
        return report(req.provider, "api", req.days);
      }),
    billingCancel: () => answer(() => null),
    billingImport: (req) => answer(() => report(req.provider, "csv", 12)),
    billingDrift: (req) => answer(() => drift(req.provider ?? null, req.days)),
  };
}
