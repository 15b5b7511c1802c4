import type { RequestView, UsageAdviceCardView, UsageAdviceQuery, UsageAdviceView } from "@/ipc/bindings";
import { groupKey, startOfDay, totalsOf } from "@/ipc/fake/traffic";
import { groupBy } from "@/lib/group";
import { DAY_MS } from "@/lib/time";

const DAYS = 30;
/** Share of the cost that the other model takes. */
const CHEAPER = 0.3;

const dollars = (amount: number) => `$${(amount / 1_000_000_000).toFixed(2)}`;

/** Suggests a cheaper model for the dearest one; the core looks for short, simple requests. */
function cheaperModel(requests: RequestView[]): UsageAdviceCardView[] {
  const models = [...groupBy(requests, (request) => groupKey(request, "model"))]
    .map(([model, own]) => ({ model, backend: own[0]?.backend ?? null, sums: totalsOf(own) }))
    .toSorted((left, right) => right.sums.cost_nano_usd - left.sums.cost_nano_usd);
  const [dearest] = models;
  const other = models.find(({ backend, model }) => backend === dearest?.backend && model !== dearest?.model);
  if (dearest === undefined || other === undefined || dearest.sums.cost_nano_usd === 0) return [];
  const { model, backend, sums } = dearest;
  const filter = { backend, model };
  const saving = Math.round(sums.cost_nano_usd * (1 - CHEAPER));
  const mean = (tokens: number) => Math.round(tokens / sums.requests).toLocaleString("en-US");
  return [
    {
      rule: "cheaper_model",
      title: `Try ${other.model} for ${model} of ${backend}`,
      subject: { dimension: "model", key: model, label: model },
      saving_nano_usd_per_month: saving,
      evidence: [
        { label: "Requests", value: sums.requests.toLocaleString("en-US"), filter },
        {
          label: "Mean request",
          value: `${mean(sums.input_tokens)} tokens in, ${mean(sums.output_tokens)} out`,
          filter,
        },
        { label: "Cost", value: dollars(sums.cost_nano_usd), filter },
        { label: `The same tokens with ${other.model}`, value: dollars(sums.cost_nano_usd - saving), filter },
      ],
      next_step: `Send some of these prompts to ${other.model} in the playground and compare the answers, then make it a candidate of the route.`,
      back_test: { estimated_nano_usd: Math.round(saving * 0.9), saved_nano_usd: saving },
    },
  ];
}

const UNUSED_KEY: UsageAdviceCardView = {
  rule: "unused_key",
  title: "The key spare was not used for 30 days",
  subject: { dimension: "credential", key: "spare", label: "spare" },
  saving_nano_usd_per_month: null,
  evidence: [{ label: "Requests", value: "0", filter: { credential: "spare" } }],
  next_step: "Revoke it at the provider and remove it here, unless it is a spare.",
  back_test: null,
};

export function adviceOf(requests: RequestView[], { zone }: UsageAdviceQuery, now: number): UsageAdviceView {
  const from = startOfDay(now, zone) - (DAYS - 1) * DAY_MS;
  const advice = requests.length === 0 ? [] : [...cheaperModel(requests), UNUSED_KEY];
  const saving = advice.reduce((sum, card) => sum + (card.saving_nano_usd_per_month ?? 0), 0);
  const count = `${advice.length} ${advice.length === 1 ? "suggestion" : "suggestions"}`;
  return {
    from,
    to: now,
    finding:
      advice.length === 0 ? "Nothing to suggest" : saving === 0 ? count : `${count}, up to ${dollars(saving)} a month`,
    advice,
    unavailable_rules: [
      "No route is suggested for the cache: hashes of prompts are not recorded, so it is not known which requests repeat.",
    ],
  };
}
