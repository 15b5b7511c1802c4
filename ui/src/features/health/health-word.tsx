/** A state in words, with how long it has lasted. */
import type { HealthView } from "@/ipc/bindings";
import { useNow } from "@/lib/clock";
import { HEALTH } from "@/lib/tables";
import { formatExact, formatSpan } from "@/lib/time";

export function HealthWord({ health: { state, since } }: { health: HealthView }) {
  const now = useNow();
  return (
    <span
      className="shrink-0 text-12 font-normal text-ink-2"
      title={since === null ? undefined : `Since ${formatExact(since)}`}
    >
      {HEALTH[state].word}
      {since !== null && ` for ${formatSpan(now - since)}`}
    </span>
  );
}
