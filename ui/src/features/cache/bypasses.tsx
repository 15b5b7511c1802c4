/** Why requests bypassed the cache, as bars to scale, with what would change it. */
import { CircleCheck } from "lucide-react";
import { Card } from "@/components/layout/card";
import { EmptyState } from "@/components/notice/empty-state";
import type { CacheBypassView } from "@/ipc/bindings";
import { formatCount } from "@/lib/quantity";

export function Bypasses({ all }: { all: CacheBypassView[] }) {
  const most = Math.max(1, ...all.map((bypass) => bypass.requests));
  return (
    <Card title="Why requests bypassed it" flush>
      {all.length === 0 ? (
        <EmptyState icon={CircleCheck} title="No bypassed requests">
          Chat requests bypass the cache unless they are repeatable (temperature 0). Embeddings never do.
        </EmptyState>
      ) : (
        <ul>
          {all.map((bypass) => (
            <li key={bypass.reason} className="border-t border-line px-4 py-2.5 first:border-t-0">
              <span className="flex items-baseline gap-3">
                <span className="min-w-0 flex-1 text-pretty">{bypass.label}</span>
                <span className="font-medium">{formatCount(bypass.requests)}</span>
              </span>
              <span aria-hidden className="mt-1 block h-1 rounded-full bg-surface-3">
                <span
                  data-mark
                  className="block h-full rounded-full bg-series-8"
                  style={{ width: `${(bypass.requests / most) * 100}%` }}
                />
              </span>
              {bypass.hint !== null && <span className="mt-1 block text-12 text-pretty text-ink-3">{bypass.hint}</span>}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
