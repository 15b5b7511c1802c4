/** What would cost less: each with its estimate, the numbers behind it and the next step. */
import { filterOfUsage } from "@/features/usage/requests-link";
import type { UsagePlace } from "@/features/usage/usage-place";
import { Unavailable } from "@/features/usage/unavailable";
import { Card } from "@/components/layout/card";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import type { UsageAdviceCardView, UsageAdviceView } from "@/ipc/bindings";
import { useUsageAdvice } from "@/ipc/usage-queries";
import { formatMoney } from "@/lib/money";
import { pathWith, requestsPath, type RequestFilter } from "@/lib/request-filter";

export function AdviceCard({ place }: { place: UsagePlace }) {
  const advice = useUsageAdvice({ zone: place.zone });
  return (
    <Reading of={advice} skeleton={<LoadingCard label="Loading suggestions" className="h-[272px]" />}>
      {(data) => (
        <Card title={data.finding} note="based on the last 30 days">
          {data.advice.length === 0 && (
            <p className="text-ink-2">No cheaper way was found for what was asked in the last 30 days.</p>
          )}
          <ul aria-label="Suggestions" className="-my-1.5">
            {data.advice.map((one) => (
              <Suggestion
                key={`${one.rule} ${one.subject.dimension} ${one.subject.key} ${one.title}`}
                card={one}
                of={data}
              />
            ))}
          </ul>
          <Unavailable rules={data.unavailable_rules} />
        </Card>
      )}
    </Reading>
  );
}

function Suggestion({ card, of }: { card: UsageAdviceCardView; of: UsageAdviceView }) {
  const { saving_nano_usd_per_month: saving, back_test: test } = card;
  const period: RequestFilter = { since: of.from, until: of.to };
  const place = placeOf(card);
  return (
    <li className="flex items-start gap-4 border-t border-line py-2.5 first:border-t-0">
      <div className="min-w-0 flex-1">
        <h3 className="font-medium text-ink-1">{card.title}</h3>
        <p className="text-ink-2">
          {card.next_step}{" "}
          {place && (
            <PanelLink path={place.path} className="whitespace-nowrap">
              {place.label}
            </PanelLink>
          )}
        </p>
        <ul aria-label="Evidence" className="mt-0.5 flex flex-wrap gap-x-4 text-12 text-ink-3">
          {card.evidence.map((row) => (
            <li key={row.label} className="flex gap-1">
              <span>{row.label}</span>
              <PanelLink
                look="plain"
                path={requestsPath({ ...filterOfUsage(row.filter), ...period })}
                className="text-ink-2"
              >
                {row.value}
              </PanelLink>
            </li>
          ))}
          {test && (
            <li title="Back-test: what the same rule would have estimated 30 days earlier, and what following it would have saved since">
              A month ago: estimated {formatMoney(test.estimated_nano_usd)}, would have saved{" "}
              {formatMoney(test.saved_nano_usd)}
            </li>
          )}
        </ul>
      </div>
      <p className="text-right whitespace-nowrap">
        {saving === null ? (
          <span className="text-12 text-ink-3">saving not known</span>
        ) : (
          <>
            <span className="text-15 font-semibold">{formatMoney(saving)}</span>
            <span className="block text-12 text-ink-3">less a month</span>
          </>
        )}
      </p>
    </li>
  );
}

/** Where the next step is done. */
function placeOf({ rule, subject, evidence }: UsageAdviceCardView): { label: string; path: string } | null {
  const name = encodeURIComponent(subject.key);
  switch (rule) {
    case "cheaper_model": {
      const backend = evidence.find(({ filter }) => typeof filter.backend === "string")?.filter.backend;
      const model = backend ? `${backend}/${subject.key}` : subject.key;
      return { label: "Compare in the playground", path: pathWith("/playground", { model }) };
    }
    case "unused_key":
      return { label: "Open the key", path: `/keys/${name}` };
    case "unused_backend":
    case "failed_attempts":
      return { label: "Open the backend", path: `/backends/${name}` };
    case "prompt_cache_writes":
    case "prompt_cache_reads":
      return null;
  }
}
