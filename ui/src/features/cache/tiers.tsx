/** Where responses are stored, fastest first, and how full each tier is. */
import { Card } from "@/components/layout/card";
import { StateBadge } from "@/components/state/state-mark";
import type { CacheTier, CacheTierView } from "@/ipc/bindings";
import { formatBinaryBytes, formatCount, formatCounted, formatDuration } from "@/lib/quantity";
import { CACHE_TIER } from "@/lib/tables";

const NAMES: Record<CacheTier, string> = { memory: "Memory", disk: "Disk", shared: "Shared" };

export function Tiers({ tiers, ttlSecs }: { tiers: CacheTierView[]; ttlSecs: number }) {
  return (
    <Card title="Contents" note={`responses expire after ${formatDuration(ttlSecs * 1_000)}`} flush>
      <ol>
        {tiers.map((tier) => (
          <li
            key={tier.tier}
            className="grid grid-cols-[72px_minmax(0,1fr)_auto] gap-x-3 gap-y-1 border-t border-line px-4 py-3 first:border-t-0"
          >
            <span className="font-medium">{NAMES[tier.tier]}</span>
            <StateBadge sign={CACHE_TIER[tier.state]} />
            <span className="text-right text-12 text-ink-2">
              {tier.entries === null ? "" : formatCounted(tier.entries, "response", "responses")}
            </span>
            <span className="col-span-2 col-start-2 text-12 text-pretty text-ink-3">{tier.detail}</span>
            {tier.bytes !== null && <Fill tier={tier} bytes={tier.bytes} />}
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Fill({ tier, bytes }: { tier: CacheTierView; bytes: number }) {
  const max = tier.bytes_max;
  return (
    <span className="col-span-2 col-start-2 flex items-center gap-3 text-12 text-ink-2">
      <span aria-hidden className="h-1.5 flex-1 overflow-hidden rounded-full bg-surface-3">
        {max !== null && (
          <span
            data-mark
            className="block h-full bg-accent"
            style={{ width: `${Math.min((bytes / max) * 100, 100)}%` }}
          />
        )}
      </span>
      <span className="w-28 text-right whitespace-nowrap">
        {formatBinaryBytes(bytes)}
        {max !== null && ` of ${formatBinaryBytes(max)}`}
      </span>
      <span className="w-28 text-right whitespace-nowrap text-ink-3">{formatCount(tier.hits)} hits since start</span>
    </span>
  );
}
