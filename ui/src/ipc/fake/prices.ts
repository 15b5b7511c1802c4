/** Prices of the fake core: a few of lists, and those the user sets. */
import type { ListedPriceView, Meter, PriceChangeView, PriceImportView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault } from "@/ipc/fake/rules";
import type { Host } from "@/ipc/host";
import { METERS } from "@/lib/form-tables";

const NANOS = 1_000_000_000;

function listed(owner: string, model: string, [input, cached, output]: [number, number, number]): ListedPriceView {
  const rate = (meter: "input" | "cache_read" | "output", dollars: number) => ({
    meter,
    tier: null,
    above_tokens: null,
    rate: dollars * NANOS,
    unit: "per million tokens",
  });
  return {
    id: `${owner}/${model}@2026-11-01`,
    owner,
    backend: null,
    model,
    state: "in_force",
    from: "2026-11-01",
    until: null,
    source: `https://${owner}.com/pricing`,
    confidence: "listed",
    input: input * NANOS,
    cache_read: cached * NANOS,
    output: output * NANOS,
    rates: [rate("input", input), rate("cache_read", cached), rate("output", output)],
    regions: owner === "anthropic" ? ["us × 1.1"] : [],
  };
}

const LISTED = [
  listed("anthropic", "claude-sonnet-4-5", [3, 0.3, 15]),
  listed("groq", "llama-3.3-70b-versatile", [0.59, 0.59, 0.79]),
  listed("openai", "gpt-4.1", [2, 0.5, 8]),
  listed("openai", "gpt-4.1-mini", [0.4, 0.1, 1.6]),
];

const PREVIEW: PriceImportView = {
  id: 1,
  format: "litellm",
  sentence: "1 price change, 1 new, 3 as they are.",
  changed: 1,
  new: 1,
  same: 3,
  foreign: 0,
  differences: [
    { owner: "openai", model: "gpt-4.1", changes: ["input $2.00 → $2.50 (+25 %)"], is_new: false },
    { owner: "groq", model: "llama-4-maverick", changes: ["input $0.20", "output $0.60"], is_new: true },
  ],
  problems: [{ line: 12, row: "groq/whisper", field: "input_cost_per_second", problem: "“free” is no price" }],
  problems_found: 1,
};

type Prices = Pick<Host, "prices" | "priceSet" | "priceImport" | "priceImportApply" | "priceUndo">;

export function fakePrices({ now, answer, changed }: Doing): Prices {
  const own: ListedPriceView[] = [];
  let last: PriceChangeView | null = null;
  const done = (sentence: string, prices: number): PriceChangeView => {
    last = { sentence, at: now(), prices, repriced: 0 };
    changed("prices");
    return last;
  };
  return {
    prices: ({ model, limit }) =>
      answer(() => {
        const rows = [...own, ...LISTED].filter((row) => row.model.includes(model));
        return {
          sentence: `${rows.length} prices of 3 providers.`,
          rows: rows.slice(0, limit),
          found: rows.length,
          last_change: last,
        };
      }),
    priceSet: (req) =>
      answer(() => {
        if (req.rates.length === 0 && req.region == null)
          throw fault("invalid_input", "Enter at least one price.", null, "rates");
        const dollars = (meter: Meter) => Number(req.rates.find((rate) => rate.meter === meter)?.price ?? 0);
        own.unshift({
          ...listed(req.backend, req.model, [dollars("input"), dollars("cache_read"), dollars("output")]),
          rates: req.rates.map(({ meter, price }) => ({
            meter,
            tier: req.tier ?? null,
            above_tokens: req.above_tokens ?? null,
            rate: Number(price) * NANOS,
            unit: METERS.find(({ value }) => value === meter)?.note ?? "",
          })),
          backend: req.backend,
          source: "stated by you",
          confidence: "declared",
        });
        return done(`Set the price of ${req.model} at ${req.backend}.`, 1);
      }),
    priceImport: () => answer(() => PREVIEW),
    priceImportApply: () => answer(() => done("Imported 2 prices from prices.json.", 2)),
    priceUndo: () =>
      answer(() => {
        if (last === null) throw fault("not_found", "No change of prices can be taken back.", null);
        const undone = { ...last, sentence: `Taken back: ${last.sentence}` };
        own.length = 0;
        last = null;
        changed("prices");
        return undone;
      }),
  };
}
